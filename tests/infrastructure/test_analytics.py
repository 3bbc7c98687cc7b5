"""Analytics: the tables, permissions and cost limits of Athena and Redshift."""

import json
from typing import Any

import pytest

from cdk import names
from cdk.analytics.columns import glue_columns
from cdk.analytics.statements import QUERIES
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import CONTEXT, Templates, synthesise

STAGES = ["dev", "prod"]
REDSHIFT = "AWS::RedshiftServerless::"


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def text(value: Any) -> str:
    """A property as text, references included."""
    return json.dumps(value)


def granted(templates: Templates, role: str) -> dict[str, list[dict[str, Any]]]:
    """Statements by action, of the policies of the role whose logical ID has this prefix."""
    found: dict[str, list[dict[str, Any]]] = {}
    for policy in templates.resources("prod", "analytics", "AWS::IAM::Policy").values():
        if any(each["Ref"].startswith(role) for each in policy["Properties"]["Roles"]):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    found.setdefault(action, []).append(statement)
    return found


def test_the_catalog_has_a_table_for_each_pipeline_with_a_lake(templates: Templates, stage: str) -> None:
    table = templates.one(stage, "analytics", "AWS::Glue::Table")
    stored = table["TableInput"]["StorageDescriptor"]
    assert table["DatabaseName"] == names.database(stage)
    assert table["TableInput"]["Name"] == names.lake_table(PIPELINE.name)
    assert tuple((each["Name"], each["Type"]) for each in stored["Columns"]) == glue_columns(PIPELINE.schema)
    assert "parquet" in stored["SerdeInfo"]["SerializationLibrary"]
    assert text(stored["Location"]).endswith('"/logins/"]]}')


def test_days_are_projected_in_the_layout_of_the_lake(templates: Templates, stage: str) -> None:
    table = templates.one(stage, "analytics", "AWS::Glue::Table")["TableInput"]
    assert [each["Name"] for each in table["PartitionKeys"]] == ["day"]
    properties = table["Parameters"]
    assert (properties["projection.enabled"], properties["projection.day.type"]) == ("true", "date")
    assert (properties["projection.day.format"], properties["projection.day.range"]) == (
        "yyyy-MM-dd",
        "2026-01-01,NOW+1DAYS",
    )
    assert "/logins/day=${day}/" in text(properties["storage.location.template"])


def test_days_that_have_expired_are_not_projected(tmp_path: Any) -> None:
    stages = CONTEXT["stages"]
    templates = synthesise(tmp_path, {"dev": stages["dev"] | {"lake": {"expire_after_days": 400}}})
    properties = templates.one("dev", "analytics", "AWS::Glue::Table")["TableInput"]["Parameters"]
    assert properties["projection.day.range"] == "NOW-402DAYS,NOW+1DAYS"


def test_the_workgroup_encrypts_results_and_bounds_each_query(templates: Templates, stage: str) -> None:
    group = templates.one(stage, "analytics", "AWS::Athena::WorkGroup")
    properties = group["WorkGroupConfiguration"]
    assert group["Name"] == names.workgroup(stage)
    assert properties["EnforceWorkGroupConfiguration"] is True
    assert properties["BytesScannedCutoffPerQuery"] == 100 * 10**9
    assert properties["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert group["RecursiveDeleteOption"] is (stage == "dev")


def test_results_are_private_and_expire(templates: Templates, stage: str) -> None:
    bucket = templates.one(stage, "analytics", "AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 30


def test_queries_are_offered(templates: Templates, stage: str) -> None:
    found = templates.resources(stage, "analytics", "AWS::Athena::NamedQuery").values()
    assert len(found) == len(QUERIES)
    assert {each["Properties"]["WorkGroup"] for each in found} == {names.workgroup(stage)}


def test_redshift_is_deployed_only_if_the_stage_configures_it(templates: Templates) -> None:
    kinds = {each["Type"] for each in templates["dev", "analytics"]["Resources"].values()}
    assert not [kind for kind in kinds if "Redshift" in kind or "Lambda" in kind]
    assert templates.one("prod", "analytics", f"{REDSHIFT}Workgroup")["WorkgroupName"] == names.workgroup("prod")


def test_the_workgroup_is_private_and_has_no_ingress(templates: Templates) -> None:
    group = templates.one("prod", "analytics", f"{REDSHIFT}Workgroup")
    assert (group["PubliclyAccessible"], group["EnhancedVpcRouting"], group["BaseCapacity"]) == (False, True, 8)
    assert len(group["SubnetIds"]) == 3
    assert {"ParameterKey": "require_ssl", "ParameterValue": "true"} in group["ConfigParameters"]
    clients = templates.one("prod", "analytics", "AWS::EC2::SecurityGroup")
    assert [(rule["FromPort"], rule["ToPort"]) for rule in clients["SecurityGroupEgress"]] == [(443, 443)]
    assert "SecurityGroupIngress" not in clients
    assert not templates.resources("prod", "analytics", "AWS::EC2::SecurityGroupIngress")


def test_redshift_manages_the_password_and_logs_are_encrypted(templates: Templates) -> None:
    ((_, namespace),) = templates.resources("prod", "analytics", f"{REDSHIFT}Namespace").items()
    properties = namespace["Properties"]
    assert properties["ManageAdminPassword"] is True
    assert "AdminUserPassword" not in properties
    assert "tandem" in properties["KmsKeyId"]["Fn::ImportValue"]
    assert namespace["DeletionPolicy"] == "RetainExceptOnCreate"
    logged = {
        each["Properties"]["LogGroupName"]: each["Properties"]
        for each in templates.resources("prod", "analytics", "AWS::Logs::LogGroup").values()
    }
    for log in properties["LogExports"]:
        group = logged[f"/aws/redshift/tandem-prod/{log}"]
        assert group["RetentionInDays"] == 90
        assert "KmsKeyId" in group


def test_both_ends_allow_the_integration(templates: Templates) -> None:
    integration = templates.one("prod", "analytics", "AWS::Redshift::Integration")
    lake = integration["SourceArn"]
    assert "Namespace.NamespaceArn" in text(integration["TargetArn"])
    allowed = templates.one("prod", "analytics", f"{REDSHIFT}Namespace")["NamespaceResourcePolicy"]["Statement"]
    assert [each["Action"] for each in allowed] == [
        "redshift:AuthorizeInboundIntegration", "redshift:CreateInboundIntegration",
    ]  # fmt: skip
    for statement in allowed:
        assert statement["Condition"]["StringEquals"] == {
            "aws:SourceArn": lake, "aws:SourceAccount": {"Ref": "AWS::AccountId"},
        }  # fmt: skip


def test_redshift_reads_the_lake_and_nothing_else(templates: Templates) -> None:
    may = granted(templates, "WarehouseLoad")
    assert set(may) == {"s3:GetObject", "s3:GetBucketLocation", "s3:ListBucket", "kms:Decrypt"}
    (read,) = may["s3:GetObject"]
    assert "tandem-prod-lake-" in text(read["Resource"])
    assert text(read["Resource"]).endswith('/logins/*"]]}')
    (listed,) = may["s3:ListBucket"]
    assert listed["Condition"] == {"StringLike": {"s3:prefix": ["logins/*"]}}


def test_the_tables_function_may_run_sql_on_this_workgroup_only(templates: Templates) -> None:
    may = granted(templates, "WarehouseTablesRole")
    ((run,), (properties,), (secret,)) = (
        may[action]
        for action in (
            "redshift-data:ExecuteStatement",
            "redshift-data:DescribeStatement",
            "secretsmanager:GetSecretValue",
        )
    )
    assert "Workgroup.WorkgroupArn" in text(run["Resource"])
    assert properties["Condition"] == {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
    assert "secret:redshift!tandem-prod-tandem_admin-*" in text(secret["Resource"])
    whole = {action for action, statements in may.items() if any(each["Resource"] == "*" for each in statements)}
    assert {action.split(":")[1] for action in whole} == {
        "DescribeStatement", "ListUsageLimits", "CreateUsageLimit", "UpdateUsageLimit",
    }  # fmt: skip


def test_the_stage_publishes_the_backfill(templates: Templates) -> None:
    properties = templates.one("prod", "analytics", "AWS::SSM::Parameter")
    assert properties["Name"] == names.parameter("prod", "backfill-logins")
    assert "INSERT INTO" in text(properties["Value"])


def test_tables_are_created_after_the_integration(templates: Templates) -> None:
    ((_, made),) = templates.resources("prod", "analytics", "Custom::RedshiftTables").items()
    ((integration, _),) = templates.resources("prod", "analytics", "AWS::Redshift::Integration").items()
    assert integration in made["DependsOn"]
    properties = made["Properties"]
    assert properties["RpuHoursADay"] == 24
    kinds = ["CREATE SCHEMA", "CREATE TABLE", "JOB CREATE"]
    assert [kind in text(each["Sql"]) for kind, each in zip(kinds, properties["Statements"], strict=True)] == [True] * 3
