# ruff: noqa: INP001 - no module of this package: its text becomes a function
"""Does in Redshift Serverless what CloudFormation has no resource for: a usage limit, and SQL.

A custom resource's function, inline on Lambda, which gives inline code `cfnresponse`. Each statement is waited for,
because the Data API answers before it has run, and runs alone, because a copy job takes no transaction block.
"""

import time
import traceback
from typing import Any

import boto3
import cfnresponse  # type: ignore[import-not-found]  # only Lambda has it

UNDER_WAY = ("SUBMITTED", "PICKED", "STARTED")


def handler(event: dict[str, Any], context: object) -> None:
    """Create and update do the same; what they made goes with its namespace."""
    name = event.get("PhysicalResourceId") or event["LogicalResourceId"]
    try:
        if event["RequestType"] != "Delete":
            make(boto3.client("redshift-serverless"), boto3.client("redshift-data"), event["ResourceProperties"])
    except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation waits an hour for an answer
        traceback.print_exc()
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, name, reason=str(error)[:1000])
    else:
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, name)


def make(serverless: Any, data: Any, wanted: dict[str, Any]) -> None:  # noqa: ANN401 - boto3 makes its classes when it runs
    """The limit first: from then on nothing costs more than was agreed. SQL runs as the namespace's administrator."""
    limit(serverless, wanted["WorkgroupArn"], int(wanted["RpuHoursADay"]))
    namespace = serverless.get_namespace(namespaceName=wanted["NamespaceName"])["namespace"]
    where = {
        "WorkgroupName": wanted["WorkgroupName"],
        "Database": wanted["Database"],
        "SecretArn": namespace["adminPasswordSecretArn"],
    }
    for each in wanted["Statements"]:
        if not (each["Unless"] and run(data, where, each["Unless"])):
            run(data, where, each["Sql"])


def limit(serverless: Any, workgroup: str, hours: int) -> None:  # noqa: ANN401 - as above
    """Switch queries off for the rest of the day once this many RPU-hours are used."""
    wanted = {"amount": hours, "breachAction": "deactivate"}
    which = {"resourceArn": workgroup, "usageType": "serverless-compute"}
    there = serverless.list_usage_limits(**which).get("usageLimits")
    if there:
        serverless.update_usage_limit(usageLimitId=there[0]["usageLimitId"], **wanted)
    else:
        serverless.create_usage_limit(**which, **wanted, period="daily")


def run(data: Any, where: dict[str, str], sql: str) -> int:  # noqa: ANN401 - as above
    """How many rows a statement found."""
    ran = data.execute_statement(**where, Sql=sql)["Id"]
    while (told := data.describe_statement(Id=ran))["Status"] in UNDER_WAY:
        time.sleep(1)
    if told["Status"] != "FINISHED":
        raise RuntimeError(f"{told.get('Error', told['Status'])}: {sql}")
    return max(int(told.get("ResultRows", 0)), 0)
