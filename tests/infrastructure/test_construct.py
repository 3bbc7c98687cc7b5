"""TandemPipeline, the construct for apps of one's own: what it creates is what our stacks create."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdk.errors import InvalidConfig
from functions.core.pipeline import AnyPipeline
from functions.pipelines.logins import PIPELINE
from tests.docs.pages import page
from tests.infrastructure.conftest import CONTEXT, UNCHECKED, Templates

(EXAMPLE,) = (block.code for block in page("docs/construct.md").blocks if block.language == "python")
CLUSTER: dict[str, Any] = {
    "cluster_arn": "arn:aws:kafka:eu-west-1:111122223333:cluster/shop/0a1b2c3d-1",
    "bootstrap_servers": "b-1.shop:9098",
    "security_group": "sg-0b0c0d0e",
}
Add = Callable[..., Any]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of the page's app, which must pass the checks that our own stages pass, or its synthesis fails."""
    from aws_cdk import Acknowledgment, Validations  # noqa: PLC0415 - importing it starts Node
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415

    def check(app: Any, vpc: Any) -> None:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        Validations.of(vpc).acknowledge(Acknowledgment(id="AwsSolutions-VPC7", reason="The VPC is the reader's."))

    out = Path(tmp_path_factory.mktemp("construct"))
    code = EXAMPLE.replace("App()", "App(outdir=OUT, context=CONTEXT)").replace(
        "app.synth()", "check(app, vpc)\napp.synth()"
    )
    variables = {"OUT": str(out), "CONTEXT": CONTEXT | UNCHECKED, "check": check}
    exec(compile(code, "docs/construct.md", "exec"), variables)  # noqa: S102 - our own page
    template: dict[str, Any] = json.loads((out / "Shop.template.json").read_text())
    return template


def of(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


def test_the_pages_app_has_about_20_lines() -> None:
    lines = [line for line in EXAMPLE.splitlines() if line.strip() and not line.startswith(('"""', "from", "import"))]
    assert len(lines) <= 20


def test_it_has_the_stores_the_function_and_the_mapping(example: dict[str, Any]) -> None:
    tables = {each["TableName"] for each in of(example, "AWS::DynamoDB::GlobalTable")}
    assert tables == {"tandem-shop-ledger", "tandem-shop-counters", "tandem-shop-table-last-login"}
    (mapping,) = of(example, "AWS::Lambda::EventSourceMapping")
    assert mapping["Topics"] == ["user-login"]
    assert mapping["EventSourceArn"] == CLUSTER["cluster_arn"]
    (function,) = (
        each for each in of(example, "AWS::Lambda::Function") if each.get("Handler", "").startswith("functions")
    )
    assert function["Environment"]["Variables"]["TANDEM_STAGE"] == "shop"
    assert len(of(example, "AWS::CloudWatch::Alarm")) == 13
    assert all(each["AlarmActions"] for each in of(example, "AWS::CloudWatch::Alarm"))


def test_its_role_may_do_what_a_stages_role_may(example: dict[str, Any], templates: Templates) -> None:
    def allowed(roles: list[dict[str, Any]]) -> set[tuple[str, ...]]:
        statements = [
            statement
            for each in roles
            if str(each.get("RoleName", "")).endswith("-logins-msk")
            for policy in each["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        actions = (each["Action"] for each in statements)
        return {tuple([each] if isinstance(each, str) else each) for each in actions}

    ours = [each["Properties"] for each in templates.resources("dev", "lambda", "AWS::IAM::Role").values()]
    assert allowed(of(example, "AWS::IAM::Role")) == allowed(ours)
    text = json.dumps(of(example, "AWS::IAM::Role"))
    assert "topic/" in text
    assert "dev" not in text


def test_data_is_kept_unless_told_otherwise(example: dict[str, Any]) -> None:
    kept = [each for each in example["Resources"].values() if each["Type"] == "AWS::DynamoDB::GlobalTable"]
    assert {each["DeletionPolicy"] for each in kept} == {"RetainExceptOnCreate"}


@pytest.fixture
def add() -> Add:
    """Return a function that adds a TandemPipeline to one app."""
    from aws_cdk import App, Environment, Stack  # noqa: PLC0415 - importing it starts Node
    from aws_cdk import aws_ec2 as ec2  # noqa: PLC0415

    from cdk.kafka.cluster import GivenCluster  # noqa: PLC0415
    from cdk.tandem_pipeline import TandemPipeline  # noqa: PLC0415

    app = App(context=CONTEXT | UNCHECKED)

    def added(id_: str, *, region: str | None = "eu-west-1", pipeline: AnyPipeline = PIPELINE, **more: Any) -> Any:
        stack = Stack(app, id_, env=Environment(account="111122223333", region=region) if region else None)
        vpc = ec2.Vpc(stack, "Vpc")
        given: dict[str, Any] = {"stage": "shop", "cluster": GivenCluster(**CLUSTER)} | more
        return TandemPipeline(stack, "Logins", pipeline=pipeline, vpc=vpc, **given)

    return added


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"region": None}, "Odd/Logins: got a stack without a region, expected env=Environment"),
        ({"stage": "My-Stage"}, "stages.My-Stage.name: got 'My-Stage', expected 2 to 8 lower-case letters"),
        ({"log_day": 3}, "stages.shop.log_day: got 3, but there is no such value"),
        ({"kafka_auth": "scram"}, "stages.shop.kafka_auth: got 'scram', expected 'iam'"),
        ({"pipelines": {"logins": {"batch_records": 0}}}, "stages.shop.pipelines.logins.batch_records: got 0"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(add: Add, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidConfig) as raised:
        add("Odd", **given)
    assert str(raised.value).startswith(problem)


def test_a_pipeline_that_is_not_in_the_zip_is_refused(add: Add) -> None:
    from docs.examples.orders import PIPELINE as ORDERS  # noqa: PLC0415

    with pytest.raises(InvalidConfig, match=r"got pipeline 'orders', expected one of functions/pipelines: .* \(logins"):
        add("Odd", pipeline=ORDERS)


def test_two_of_one_stage_are_refused(add: Add) -> None:
    add("One")
    add("Two", stage="other")
    with pytest.raises(
        InvalidConfig, match="Three/Logins: got stage 'shop', which One/Logins has, expected another one"
    ):
        add("Three")


def test_tokens_of_the_same_app_are_resolved(add: Add) -> None:
    from aws_cdk import Stack, Token  # noqa: PLC0415

    from cdk.kafka.cluster import GivenCluster  # noqa: PLC0415

    arn = Token.as_string({"Fn::GetAtt": ["Cluster", "Arn"]})
    created = add("Tokens", cluster=GivenCluster(arn, "b:9098", "sg-1"))
    stack = Stack.of(created)
    resolved = stack.resolve(GivenCluster(arn, "b:9098", "sg-1").arn_of("topic", "t"))
    split = {"Fn::Split": [":cluster/", {"Fn::GetAtt": ["Cluster", "Arn"]}]}
    assert resolved == {
        "Fn::Join": ["", [{"Fn::Select": [0, split]}, ":topic/", {"Fn::Select": [1, split]}, "/t"]],
    }  # fmt: skip
