"""What pipelines use outside of their stage: secrets, variables, ports and endpoints, of those that use it only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cdk import external
from cdk.config import StageConfig
from cdk.errors import InvalidConfig
from docs.examples import inventory, telemetry
from functions.codecs.avro import Avro
from functions.core.pipeline import AnyPipeline
from functions.core.registries import Confluent
from functions.core.sinks import CustomSink
from functions.pipelines import logins
from tests.infrastructure.conftest import PLACE, Templates, synthesise

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:{}-AbCdEf"
KEY = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4444-8888-0123456789ab"
OUTSIDE: dict[str, Any] = {
    "registry": {"url": "http://registry.shop:8081", "secret": {"arn": SECRET.format("registry")}},
    "sinks": {"stock": {"arn": SECRET.format("stock"), "key": KEY}},
}


@dataclass(frozen=True)
class Queue(CustomSink):
    adapter: ClassVar[str] = "a:b"
    aws_services: ClassVar[tuple[str, ...]] = ("sqs", "kinesis", "s3")


PIPELINES: Mapping[str, AnyPipeline] = {
    "logins": logins.PIPELINE,
    "inventory": inventory.PIPELINE,
    "telemetry": replace(telemetry.PIPELINE, codec=Avro(Confluent())),
    "queued": replace(
        inventory.PIPELINE,
        name="queued",
        topic="queued",
        sinks=(Queue("queue"),),
        tombstones=logins.PIPELINE.tombstones,
    ),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return synthesise(Path(tmp_path_factory.mktemp("external")), {"shop": PLACE | OUTSIDE}, PIPELINES)


def variables(shop: Templates) -> dict[str, set[str]]:
    """The functions' variables about what is outside, by pipeline."""
    functions = shop.resources("shop", "lambda", "AWS::Lambda::Function").values()
    found = [each["Properties"]["Environment"]["Variables"] for each in functions]
    return {
        each["TANDEM_PIPELINE"]: {name for name in each if name.startswith(("TANDEM_REGISTRY", "TANDEM_SINK"))}
        for each in found
    }


def test_each_function_has_the_variables_of_its_own_pipeline(shop: Templates) -> None:
    assert variables(shop) == {
        "logins": set(),
        "queued": set(),
        "inventory": {"TANDEM_SINK_STOCK_FROM"},
        "telemetry": {"TANDEM_REGISTRY_URL", "TANDEM_REGISTRY_FROM"},
    }


def test_workers_find_all_in_their_stages_file(shop: Templates) -> None:
    found = shop.resources("shop", "eks", "AWS::SSM::Parameter").values()
    (text,) = (str(each["Properties"]["Value"]) for each in found if "TANDEM_STAGE" in str(each))
    assert f"TANDEM_SINK_STOCK_FROM={SECRET.format('stock')}" in text
    assert "TANDEM_REGISTRY_URL=http://registry.shop:8081" in text


@pytest.mark.parametrize("stack", ["lambda", "eks"])
def test_each_pipeline_may_read_its_own_secrets(shop: Templates, stack: str) -> None:
    readers: dict[str, set[str]] = {}
    for role in shop.resources("shop", stack, "AWS::IAM::Role").values():
        text = str(role["Properties"].get("Policies"))
        for name in ("registry", "stock"):
            if SECRET.format(name) in text:
                readers.setdefault(name, set()).add(role["Properties"]["RoleName"])
    runtime = {"lambda": "msk", "eks": "worker"}[stack]
    assert readers == {"registry": {f"tandem-shop-telemetry-{runtime}"}, "stock": {f"tandem-shop-inventory-{runtime}"}}


def test_a_secrets_own_key_is_used_through_secrets_manager_only(shop: Templates) -> None:
    statements = [
        statement
        for role in shop.resources("shop", "lambda", "AWS::IAM::Role").values()
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "ExternalKeys"
    ]
    (statement,) = statements
    assert (statement["Action"], statement["Resource"]) == ("kms:Decrypt", KEY)
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": ["secretsmanager.us-east-1.amazonaws.com"]}}


def test_functions_reach_the_ports_that_pipelines_declare(shop: Templates) -> None:
    groups = shop.resources("shop", "network", "AWS::EC2::SecurityGroup").values()
    (clients,) = (each for each in groups if "Functions" in each["Properties"]["GroupDescription"])
    ports = {rule["FromPort"] for rule in clients["Properties"]["SecurityGroupEgress"]}
    assert ports == {443, 5432, 8081}


def test_services_of_own_sinks_have_endpoints_where_there_is_no_nat(shop: Templates) -> None:
    found = shop.resources("shop", "network", "AWS::EC2::VPCEndpoint").values()
    names = [str(each["Properties"]["ServiceName"]).rpartition(".")[2] for each in found]
    assert {"sqs", "kinesis-streams"} <= set(names)
    assert "s3" not in names, "it has a gateway"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "stages.dev.registry: is missing, expected the schema registry that pipeline 'telemetry' uses"),
        (
            {"registry": {"url": "https://r"}},
            "stages.dev.sinks.stock: is missing, expected the secret of a sink of pipeline 'inventory'",
        ),
        (
            {**OUTSIDE, "sinks": {**OUTSIDE["sinks"], "stok": {"arn": SECRET.format("stok")}}},
            "stages.dev.sinks: got stok, expected stock: the sinks that have secrets",
        ),
    ],
)
def test_a_stage_has_what_its_pipelines_use_and_nothing_else(values: dict[str, Any], problem: str) -> None:
    stage = StageConfig.model_validate(PLACE | {"name": "dev"} | values)
    with pytest.raises(InvalidConfig) as raised:
        external.check(stage, PIPELINES.values())
    assert str(raised.value) == problem


def test_a_registrys_port_is_that_of_its_url() -> None:
    for url, ports in {"https://r": [], "http://r": [80], "https://r:8443/apis": [8443]}.items():
        stage = StageConfig.model_validate(PLACE | {"name": "dev", "registry": {"url": url}})
        assert external.ports(stage, [PIPELINES["telemetry"]]) == ports
        assert external.ports(stage, [PIPELINES["logins"]]) == []
