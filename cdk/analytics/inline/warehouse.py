# ruff: noqa: INP001 - not a module of this package: its text becomes a function
"""Does in Redshift Serverless what CloudFormation has no resource for: a usage limit, and SQL.

The function of a custom resource. Lambda adds `cfnresponse` to inline code. The function waits for each statement,
because the Data API answers before it has run, and runs it separately, because COPY JOB allows no transaction block.
"""

import time
import traceback
from typing import Any

import boto3
import cfnresponse  # type: ignore[import-not-found]  # exists on Lambda only

RUNNING = ("SUBMITTED", "PICKED", "STARTED")


def handler(event: dict[str, Any], context: object) -> None:
    """Create and update do the same. Delete does nothing: what they created is deleted with the namespace."""
    name = event.get("PhysicalResourceId") or event["LogicalResourceId"]
    try:
        if event["RequestType"] != "Delete":
            apply(boto3.client("redshift-serverless"), boto3.client("redshift-data"), event["ResourceProperties"])
    except Exception as error:  # noqa: BLE001 - without an answer CloudFormation waits for an hour
        traceback.print_exc()
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, name, reason=str(error)[:1000])
    else:
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, name)


def apply(serverless: Any, data_api: Any, properties: dict[str, Any]) -> None:  # noqa: ANN401 - boto3 creates its classes at run time
    """Set the limit first, so that it also covers the statements. SQL runs as the namespace's administrator."""
    set_limit(serverless, properties["WorkgroupArn"], int(properties["RpuHoursADay"]))
    namespace = serverless.get_namespace(namespaceName=properties["NamespaceName"])["namespace"]
    target = {
        "WorkgroupName": properties["WorkgroupName"],
        "Database": properties["Database"],
        "SecretArn": namespace["adminPasswordSecretArn"],
    }
    for statement in properties["Statements"]:
        if not (statement["Unless"] and run(data_api, target, statement["Unless"])):
            run(data_api, target, statement["Sql"])


def set_limit(serverless: Any, workgroup: str, hours: int) -> None:  # noqa: ANN401 - as above
    """Refuse queries for the rest of the day after this many RPU-hours."""
    limit = {"amount": hours, "breachAction": "deactivate"}
    resource = {"resourceArn": workgroup, "usageType": "serverless-compute"}
    limits = serverless.list_usage_limits(**resource).get("usageLimits")
    if limits:
        serverless.update_usage_limit(usageLimitId=limits[0]["usageLimitId"], **limit)
    else:
        serverless.create_usage_limit(**resource, **limit, period="daily")


def run(data_api: Any, target: dict[str, str], sql: str) -> int:  # noqa: ANN401 - as above
    """Run a statement and return its number of rows. Raises RuntimeError if it fails."""
    id_ = data_api.execute_statement(**target, Sql=sql)["Id"]
    while (statement := data_api.describe_statement(Id=id_))["Status"] in RUNNING:
        time.sleep(1)
    if statement["Status"] != "FINISHED":
        raise RuntimeError(f"{statement.get('Error', statement['Status'])}: {sql}")
    return max(int(statement.get("ResultRows", 0)), 0)
