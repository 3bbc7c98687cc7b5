"""Least privilege in both directions: every call of the runtimes is allowed, and every permission is used."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from cdk import names
from cdk.runtimes.grants import Grants
from functions.core.codecs import Codec, Json
from functions.core.compression import Gzip
from functions.core.names import (
    admin_user,
    consumer_group,
    counters_table,
    kafka_user,
    ledger_table,
    rows_table,
    scaler_user,
)
from functions.core.registries import Glue
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import Templates
from tests.infrastructure.deployed import Deployed, deployed
from tests.infrastructure.policies import Call, Permission, allowed, permissions, uses
from tests.infrastructure.requests import LEADING
from tests.infrastructure.resolve import ACCOUNT, REGION, Resolved
from tests.unit.core.test_schema_lookup import Framed

SERVICE: Final = "called by Lambda, with the function's role"
# Permissions that no run here makes use of, by statement and action, and who does. `*` is every action.
UNSEEN: Final = {
    "msk": {
        "Source *": f"{SERVICE}: the event source mapping reads the topic",
        "Group *": f"{SERVICE}: the event source mapping is the group's member",
        "Cluster *": f"{SERVICE}: the event source mapping finds the brokers",
        "GivenUp s3:PutObject": f"{SERVICE}: the event source mapping's on-failure destination",
        "GivenUpBucket s3:ListBucket": f"{SERVICE}: the event source mapping looks whether the bucket is there",
        "Log *": f"{SERVICE}: what goes to standard output",
        "Traces *": f"{SERVICE}: its X-Ray daemon sends the segments",
        "Interfaces *": f"{SERVICE}: to reach the VPC",
    },
    "worker": {
        "Ledger dynamodb:PutItem": "a gap, when records expire before they are read: the settler is the function's",
    },
}
WITHOUT_RESOURCES: Final = {"Traces", "Interfaces", "Metrics"}


@pytest.fixture(params=["prod", "scram"])
def stage(request: pytest.FixtureRequest, every: Templates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with deployed(every, request.param, monkeypatch) as made:
        yield made


@pytest.mark.parametrize("runtime", ["msk", "worker"])
def test_every_call_is_allowed_and_every_permission_is_used(stage: Deployed, runtime: str) -> None:
    may, calls = stage.statements(runtime), stage.run(runtime)
    assert {call.action for call in calls} >= {"dynamodb:UpdateItem", "s3:GetObject", "kms:Decrypt"}
    assert [call for call in calls if not allowed(may, call)] == []
    idle = {each for each in permissions(may) if not any(uses(each, call) for call in calls)}
    assert idle == {each for each in permissions(may) if _excused(runtime, each)}


@pytest.mark.parametrize("runtime", ["msk", "worker"])
@pytest.mark.parametrize("name", ["dev", "prod"])
def test_nothing_of_another_pipeline_is_allowed(templates: Templates, name: str, runtime: str) -> None:
    stage = Resolved(templates, name)
    may, table = stage.statements(runtime), f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
    lake, letters = names.lake_bucket(name, ACCOUNT, REGION), names.dead_letter_bucket(name, ACCOUNT, REGION)
    cluster = stage.mapping["EventSourceArn"]
    topics, groups = cluster.replace(":cluster/", ":topic/"), cluster.replace(":cluster/", ":group/")
    for call in (
        Call("s3:PutObject", f"arn:aws:s3:::{lake}/logins-2/day=2026-01-01/x.parquet"),
        Call("s3:GetObject", f"arn:aws:s3:::{letters}/logins/reason=invalid/x.json"),
        Call("s3:DeleteObject", f"arn:aws:s3:::{lake}/logins/day=2026-01-01/x.parquet"),
        Call("s3:PutObject", f"arn:aws:s3:::{letters}/clicks/reason=invalid/x.json"),
        Call("dynamodb:UpdateItem", table + ledger_table(name), {LEADING: ["clicks"]}),
        Call("dynamodb:UpdateItem", table + counters_table(name), {LEADING: ["logins-per-minute-2?a=b"]}),
        Call("dynamodb:PutItem", table + rows_table(name, "last-click")),
        Call("dynamodb:DeleteItem", table + rows_table(name, "last-login")),
        Call("dynamodb:Scan", table + ledger_table(name)),
        Call("kafka-cluster:ReadData", f"{topics}/clicks"),
        Call("kafka-cluster:WriteData", f"{topics}/{PIPELINE.topic}"),
        Call("kafka-cluster:ReadData", f"{topics}/{PIPELINE.topics[0].name}"),
        Call("kafka-cluster:AlterGroup", f"{groups}/{name}-clicks"),
        Call("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:other-000000"),
        Call("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other"),
        Call("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": ["AWS/Lambda"]}),
        Call("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin"),
    ):
        assert not allowed(may, call), call


@pytest.mark.parametrize("name", ["prod", "scram"])
def test_keda_may_read_the_lag_and_nothing_else(every: Templates, name: str) -> None:
    """Its operator does not run here: these are the documented calls of its Kafka scaler."""
    stage, group = Resolved(every, name), consumer_group(name, "logins")
    roles = stage.properties("eks", "AWS::IAM::Role")
    (may,) = (role["Policies"][0]["PolicyDocument"]["Statement"] for role in roles if _is_kedas(role, name))
    cluster, variables = stage.mapping["EventSourceArn"], stage.function["Environment"]["Variables"]
    topics, groups = cluster.replace(":cluster/", ":topic/"), cluster.replace(":cluster/", ":group/")
    looks = {
        "prod": [
            Call("kafka-cluster:Connect", cluster),
            Call("kafka-cluster:DescribeTopic", f"{topics}/{PIPELINE.topic}"),
            Call("kafka-cluster:DescribeGroup", f"{groups}/{group}"),
        ],
        "scram": [Call("secretsmanager:GetSecretValue", secret(scaler_user(name)))],
    }
    assert [call for call in looks[name] if not allowed(may, call)] == []
    for call in (
        Call("kafka-cluster:ReadData", f"{topics}/{PIPELINE.topic}"),
        Call("kafka-cluster:AlterGroup", f"{groups}/{group}"),
        Call("kafka-cluster:DescribeTopic", f"{topics}/clicks"),
        Call("kafka-cluster:DescribeGroup", f"{groups}/{name}-clicks"),
        Call("secretsmanager:GetSecretValue", variables["TANDEM_MASK_KEY_FROM"]),
        Call("secretsmanager:GetSecretValue", secret(kafka_user(name, "logins"))),
        Call("secretsmanager:GetSecretValue", secret(admin_user(name))),
    ):
        assert not allowed(may, call), call


@pytest.mark.parametrize("runtime", ["msk", "worker"])
def test_a_pipeline_reads_the_secret_of_its_own_user_alone(every: Templates, runtime: str) -> None:
    stage = Resolved(every, "scram")
    may, own = stage.statements(runtime), secret(kafka_user("scram", "logins"))
    assert stage.function["Environment"]["Variables"]["TANDEM_SCRAM_FROM"] == own
    others = kafka_user("scram", "clicks"), admin_user("scram"), scaler_user("scram")
    for user in (kafka_user("scram", "logins"), *others):
        call = Call("secretsmanager:GetSecretValue", secret(user))
        assert allowed(may, call) == (call.resource == own), call


def secret(user: str) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{names.scram_secret(user)}-000000"


def test_network_interfaces_and_given_up_batches_are_for_lambda_and_not_for_its_code(templates: Templates) -> None:
    may = Resolved(templates, "dev").statements("msk")
    code = {"lambda:SourceFunctionArn": [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tandem-dev-logins"]}
    given_up = f"arn:aws:s3:::{names.dead_letter_bucket('dev', ACCOUNT, REGION)}/aws/lambda/another/batch"
    for action, resource in (("ec2:CreateNetworkInterface", "*"), ("s3:PutObject", given_up)):
        assert allowed(may, Call(action, resource))
        assert not allowed(may, Call(action, resource, code))


@pytest.mark.parametrize("runtime", ["msk", "worker"])
def test_a_lake_object_can_be_put_only_if_it_is_absent(templates: Templates, runtime: str) -> None:
    may = Resolved(templates, "dev").statements(runtime)
    lake = f"arn:aws:s3:::{names.lake_bucket('dev', ACCOUNT, REGION)}/logins/day=2026-01-01/x.parquet"
    assert allowed(may, Call("s3:PutObject", lake, {"s3:if-none-match": ["*"]}))
    assert not allowed(may, Call("s3:PutObject", lake))


@pytest.mark.parametrize("runtime", ["msk", "worker"])
def test_the_key_can_be_used_only_through_the_services_that_hold_what_it_encrypts(
    templates: Templates, runtime: str
) -> None:
    resolved = Resolved(templates, "dev")
    (key,) = {each.resource for each in permissions(resolved.statements(runtime)) if each.action == "kms:Decrypt"}
    through = {
        service
        for service in ("dynamodb", "lambda", "s3", "secretsmanager", "sqs", "ec2")
        if allowed(
            resolved.statements(runtime),
            Call("kms:Decrypt", key, {"kms:ViaService": [f"{service}.{REGION}.amazonaws.com"]}),
        )
    }
    assert through == {"dynamodb", "s3", "secretsmanager"} | ({"lambda"} if runtime == "msk" else set())
    assert not allowed(resolved.statements(runtime), Call("kms:Decrypt", key))


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_wildcards_appear_only_without_a_narrower_resource(templates: Templates, name: str) -> None:
    for runtime in ("msk", "worker"):
        for each in permissions(Resolved(templates, name).statements(runtime)):
            assert "*" not in each.action
            if each.resource == "*":
                assert each.sid in WITHOUT_RESOURCES
            elif "*" in each.resource:
                assert each.resource.endswith(
                    ("/logins/*", "/aws/lambda/*", f":log-group:/aws/lambda/tandem-{name}-logins:*")
                )


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_both_runtimes_have_the_same_permissions_except_their_own(templates: Templates, name: str) -> None:
    of = {runtime: set(permissions(Resolved(templates, name).statements(runtime))) for runtime in ("msk", "worker")}
    assert {each.sid for each in of["worker"] - of["msk"]} == {"Position", "Metrics"}
    assert {each.sid for each in of["msk"] - of["worker"]} == {
        "Cluster", "GivenUp", "GivenUpBucket", "Log", "Traces", "Interfaces",
    }  # fmt: skip


def _is_kedas(role: Mapping[str, Any], stage: str) -> bool:
    return bool(role.get("RoleName") == names.scaler_role(stage))


def _excused(runtime: str, each: Permission) -> bool:
    return not {f"{each.sid} {each.action}", f"{each.sid} *"}.isdisjoint(UNSEEN[runtime])


@pytest.mark.parametrize(("codec", "actions"), [(Json(), []), (Gzip(Framed(Glue())), [["glue:GetSchemaVersion"]])])
def test_only_a_pipeline_with_glues_registry_may_read_schemas(codec: Codec, actions: list[list[str]]) -> None:
    nothing: Any = None
    grants = Grants(nothing, replace(PIPELINE, codec=codec), nothing, nothing, nothing)
    assert [list(statement.actions) for statement in grants.schemas()] == actions
