"""Least privilege in both directions: what the runtimes really ask for is allowed, what is allowed is asked for."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from functions.core import names
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import Templates
from tests.infrastructure.deployed import Deployed, deployed
from tests.infrastructure.policies import Call, Permission, allowed, permissions, uses
from tests.infrastructure.requests import LEADING
from tests.infrastructure.resolve import ACCOUNT, REGION, Resolved

SERVICE: Final = "asked by Lambda itself, with the function's role"
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


@pytest.fixture(params=["dev", "prod"])
def stage(request: pytest.FixtureRequest, templates: Templates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with deployed(templates, request.param, monkeypatch) as made:
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
        Call("dynamodb:UpdateItem", table + names.ledger_table(name), {LEADING: ["clicks"]}),
        Call("dynamodb:UpdateItem", table + names.counters_table(name), {LEADING: ["logins-per-minute-2?a=b"]}),
        Call("dynamodb:PutItem", table + names.rows_table(name, "last-click")),
        Call("dynamodb:DeleteItem", table + names.rows_table(name, "last-login")),
        Call("dynamodb:Scan", table + names.ledger_table(name)),
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


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_keda_may_look_at_the_lag_and_at_nothing_else(templates: Templates, name: str) -> None:
    """Its operator is not run here, so nothing is recorded: these are the calls that its Kafka scaler documents."""
    stage, group = Resolved(templates, name), names.group(name, "logins")
    roles = stage.properties("steady", "AWS::IAM::Role")
    (may,) = (role["Policies"][0]["PolicyDocument"]["Statement"] for role in roles if _is_kedas(role, name))
    cluster, variables = stage.mapping["EventSourceArn"], stage.function["Environment"]["Variables"]
    topics, groups = cluster.replace(":cluster/", ":topic/"), cluster.replace(":cluster/", ":group/")
    looks = {
        "dev": [
            Call("kafka-cluster:Connect", cluster),
            Call("kafka-cluster:DescribeTopic", f"{topics}/{PIPELINE.topic}"),
            Call("kafka-cluster:DescribeGroup", f"{groups}/{group}"),
        ],
        "prod": [Call("secretsmanager:GetSecretValue", variables.get("TANDEM_SCRAM_FROM", ""))],
    }
    assert [call for call in looks[name] if not allowed(may, call)] == []
    for call in (
        Call("kafka-cluster:ReadData", f"{topics}/{PIPELINE.topic}"),
        Call("kafka-cluster:AlterGroup", f"{groups}/{group}"),
        Call("kafka-cluster:DescribeTopic", f"{topics}/clicks"),
        Call("kafka-cluster:DescribeGroup", f"{groups}/{name}-clicks"),
        Call("secretsmanager:GetSecretValue", variables["TANDEM_MASK_KEY_FROM"]),
    ):
        assert not allowed(may, call), call


def test_network_interfaces_are_for_lambda_and_not_for_its_code(templates: Templates) -> None:
    may = Resolved(templates, "dev").statements("msk")
    code = {"lambda:SourceFunctionArn": [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tandem-dev-logins"]}
    assert allowed(may, Call("ec2:CreateNetworkInterface", "*"))
    assert not allowed(may, Call("ec2:CreateNetworkInterface", "*", code))


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_wildcards_stand_where_nothing_finer_is(templates: Templates, name: str) -> None:
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
def test_both_runtimes_may_do_the_same_but_for_what_only_one_of_them_is(templates: Templates, name: str) -> None:
    of = {runtime: set(permissions(Resolved(templates, name).statements(runtime))) for runtime in ("msk", "worker")}
    assert {each.sid for each in of["worker"] - of["msk"]} == {"Position", "Metrics"}
    assert {each.sid for each in of["msk"] - of["worker"]} == {
        "Cluster", "GivenUp", "GivenUpBucket", "Log", "Traces", "Interfaces",
    }  # fmt: skip


def _is_kedas(role: Mapping[str, Any], stage: str) -> bool:
    return bool(role.get("RoleName") == names.scaler_role(stage))


def _excused(runtime: str, each: Permission) -> bool:
    return not {f"{each.sid} {each.action}", f"{each.sid} *"}.isdisjoint(UNSEEN[runtime])
