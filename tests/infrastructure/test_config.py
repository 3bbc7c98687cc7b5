"""An invalid value ends with one line: its name, the value and what is expected."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from cdk.choices import ExpressKafka, NewNetwork, ServerlessKafka
from cdk.config import StageConfig
from cdk.context import read
from cdk.errors import InvalidConfig
from tests.infrastructure.conftest import ALTERNATIVES, CONTEXT, PLACE

GIVEN = ALTERNATIVES["given"]
GITHUB = {"repository": "example/tandem", "environment": "dev"}


def refused(values: Any) -> str:
    with pytest.raises(InvalidConfig) as raised:
        read({"dev": values}, ["logins", "clicks"])
    return str(raised.value)


def network(**changes: Any) -> dict[str, Any]:
    return PLACE | {"network": {"kind": "new"} | changes}


def kafka(**changes: Any) -> dict[str, Any]:
    return PLACE | {"kafka": {"kind": "standard"} | changes}


def given(**changes: Any) -> dict[str, Any]:
    return GIVEN | {"kafka": GIVEN["kafka"] | changes}


def run(**changes: Any) -> dict[str, Any]:
    return PLACE | {"pipelines": {"logins": changes}}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "stages.dev: got [], expected the stage's values"),
        ({"zones": PLACE["zones"]}, "stages.dev.region: is missing, expected a region like us-east-1"),
        (PLACE | {"region": "Ohio"}, "stages.dev.region: got 'Ohio', expected a region like us-east-1"),
        (
            PLACE | {"zones": ["us-east-1a", "us-east-1a", "us-east-1b"]},
            "stages.dev.zones: got us-east-1a, us-east-1a, us-east-1b, expected three zones of us-east-1",
        ),
        (
            PLACE | {"zones": ["us-east-1a", "us-east-1b", "us-east-2a"]},
            "stages.dev.zones: got us-east-1a, us-east-1b, us-east-2a, expected three zones of us-east-1",
        ),
        (PLACE | {"zones": PLACE["zones"][:2]}, "stages.dev.zones.2: is missing, expected the names of three zones"),
        (PLACE | {"acount": "1"}, "stages.dev.acount: got '1', but there is no such value"),
        (PLACE | {"account": "12"}, "stages.dev.account: got '12', expected an account's 12 digits, or null"),
        (PLACE | {"log_days": 31}, "stages.dev.log_days: got 31, expected 1, 3, 5, 7, 14, 30, 60, 90"),
        (PLACE | {"protected": "perhaps"}, "stages.dev.protected: got 'perhaps', expected a valid boolean"),
        (PLACE | {"alarm_email": "me"}, "stages.dev.alarm_email: got 'me', expected an e-mail address"),
        (
            PLACE | {"alarm_email": "a@b.c", "alarm_topic": GIVEN["alarm_topic"]},
            "stages.dev.alarm_email: got 'a@b.c', expected none if alarm_topic is set",
        ),
        (PLACE | {"alarm_topic": "on-call"}, "stages.dev.alarm_topic: got 'on-call', expected the ARN of an SNS topic"),
        (PLACE | {"bootstrap_qualifier": "a-b"}, "stages.dev.bootstrap_qualifier: got 'a-b', expected 1 to 10"),
        (network(kind="old"), "stages.dev.network.kind: got 'old', expected 'new', 'existing'"),
        (PLACE | {"network": {}}, "stages.dev.network.kind: is missing, expected one of new, existing"),
        (network(nat="two"), "stages.dev.network.nat: got 'two', expected 'none', 'one' or 'per-zone'"),
        (network(cidr="10.0.0.0/24"), "stages.dev.network.cidr: got '10.0.0.0/24', expected a private range from /16"),
        (network(cidr="8.8.0.0/16"), "stages.dev.network.cidr: got '8.8.0.0/16', expected a private range"),
        (network(cidr="10.0.0.1/16"), "stages.dev.network.cidr: got '10.0.0.1/16', expected a private range"),
        (
            PLACE | {"network": GIVEN["network"] | {"vpc": "vpc-XY"}},
            "stages.dev.network.vpc: got 'vpc-XY', expected the ID of a VPC, like vpc-0123abcd",
        ),
        (
            PLACE | {"network": GIVEN["network"] | {"subnets": ["subnet-0123abcd", "b", "subnet-0123abce"]}},
            "stages.dev.network.subnets.1: got 'b', expected the IDs of three private subnets",
        ),
        (
            kafka(storage_gib=500, max_storage_gib=100),
            "stages.dev.kafka.max_storage_gib: got 100, expected storage_gib or more",
        ),
        (kafka(instance="kafka.t3.small"), "stages.dev.kafka.instance: got 'kafka.t3.small', expected a larger one if"),
        (kafka(version="latest"), "stages.dev.kafka.version: got 'latest', expected one of MSK's versions"),
        (kafka(storage_gib=0), "stages.dev.kafka.storage_gib: got 0, expected greater than or equal to 1"),
        (kafka(instance="m7g"), "stages.dev.kafka.instance: got 'm7g', expected a size like kafka.m7g.large"),
        (kafka(kind="express", storage_gib=9), "stages.dev.kafka.storage_gib: got 9, but there is no such value"),
        (PLACE | {"kafka_auth": "scram"}, "stages.dev.kafka_auth: got 'scram', expected 'iam' if kafka is"),
        (
            kafka(requires_acls=True),
            "stages.dev.kafka.requires_acls: got true, expected false if kafka_auth is iam, which has policies",
        ),
        (PLACE | {"kafka_auth": "tls"}, "stages.dev.kafka_auth: got 'tls', expected 'iam' or 'scram'"),
        (given(arn="arn:aws:s3:::x"), "stages.dev.kafka.arn: got 'arn:aws:s3:::x', expected a cluster's ARN, like"),
        (given(bootstrap_servers="b-1"), "stages.dev.kafka.bootstrap_servers: got 'b-1', expected brokers as host"),
        (given(scram_secret=None), "stages.dev.kafka.scram_secret: is missing, expected an ARN if kafka_auth is scram"),
        (given(scram_key=None), "stages.dev.kafka.scram_key: is missing, expected an ARN if kafka_auth is scram"),
        (
            PLACE | {"eks": {"kind": "existing", "name": "shared", "security_group": "sg-0e0f0a0b"}},
            "stages.dev.network.nat: got 'none', expected 'one' or 'per-zone' if eks is existing",
        ),
        (
            GIVEN | {"network": {"kind": "new", "nat": "one"}},
            "stages.dev.network.kind: got 'new', expected 'existing', the cluster's VPC, if kafka is existing",
        ),
        (GIVEN | {"eks": {"kind": "existing"}}, "stages.dev.eks.name: is missing, expected the cluster's name"),
        (
            PLACE | {"eks": {"kind": "new", "public_access_cidrs": ["0.0.0.0/0"]}},
            "stages.dev.eks.public_access_cidrs.0: got '0.0.0.0/0', expected ranges of addresses like 198.51.100.0/24",
        ),
        (PLACE | {"eks": {"kind": "new", "version": "2.0"}}, "stages.dev.eks.version: got '2.0', expected a version"),
        (kafka(kind="standard", version="3.5.1"), "stages.dev.kafka.version: got '3.5.1', expected 3.6.0 or newer"),
        (kafka(kind="express", version="4.0.x"), "stages.dev.kafka.version: got '4.0.x', expected 3.6.0 or newer"),
        (run(runtime="both"), "stages.dev.pipelines.logins.runtime: got 'both', expected 'msk' or 'worker'"),
        (run(retries=3), "stages.dev.pipelines.logins.retries: got 3, expected provisioned mode: set pollers"),
        (run(record_age_seconds=60), "stages.dev.pipelines.logins.record_age_seconds: got 60, expected provisioned"),
        (run(pollers={"min": 3, "max": 2}), "stages.dev.pipelines.logins.pollers.max: got 2, expected min or more"),
        (run(timeout_seconds=900), "stages.dev.pipelines.logins.timeout_seconds: got 900, expected less than"),
        (run(batch_records="many"), "stages.dev.pipelines.logins.batch_records: got 'many', expected a valid integer"),
        (PLACE | {"pipelines": {"views": {}}}, "stages.dev.pipelines: got views, expected clicks, logins"),
        (PLACE | {"github": {"repository": "tandem"}}, "stages.dev.github.repository: got 'tandem', expected owner"),
        (
            PLACE | {"github": GITHUB | {"provider_arn": "arn:aws:iam::1:x"}},
            "stages.dev.github.provider_arn: got 'arn:aws:iam::1:x', expected arn:aws:iam::111122223333:oidc-provider/",
        ),
    ],
)  # fmt: skip
def test_one_line_describes_an_invalid_value(values: Any, expected: str) -> None:
    message = refused(values)
    assert expected in message
    assert "\n" not in message


def test_several_invalid_values_are_described_together() -> None:
    message = refused(network(nat="two") | {"kafka_auth": "tls"})
    assert "stages.dev.network.nat: got 'two'" in message
    assert "stages.dev.kafka_auth: got 'tls'" in message


@pytest.mark.parametrize("context", [None, [], {}, "dev"])
def test_stages_are_required(context: object) -> None:
    with pytest.raises(InvalidConfig, match=r"^stages: got .*, expected \{\"dev\": \{...\}, ...\} in the context"):
        read(context, ["logins"])


@pytest.mark.parametrize("name", ["d", "Dev", "development", "dev-", "9dev", "a-b"])
def test_a_stage_has_a_short_name(name: str) -> None:
    with pytest.raises(
        InvalidConfig, match=rf"^stages\.{name}\.name: got '{name}', expected 2 to 8 lower-case letters"
    ):
        read({name: PLACE}, [])


def test_no_function_of_a_pipeline_has_the_name_of_another_function() -> None:
    with pytest.raises(InvalidConfig, match=r"^pipeline 'warehouse-tables': got a name that is reserved"):
        read({"dev": PLACE}, ["logins", "warehouse-tables"])


def test_an_account_has_one_oidc_provider() -> None:
    stages = {"dev": PLACE | {"github": GITHUB}, "prod": PLACE | {"github": GITHUB}}
    with pytest.raises(InvalidConfig, match=r"^stages\.prod\.github\.provider_arn: is missing, .* stage 'dev' creates"):
        read(stages, [])
    apart = {name: stage | {"account": f"{number:012}"} for number, (name, stage) in enumerate(stages.items())}
    assert read(apart, []).keys() == {"dev", "prod"}


def test_omitted_values_have_defaults() -> None:
    stage = read({"dev": PLACE}, ["logins"])["dev"]
    assert (stage.kafka, stage.network, stage.kafka_auth) == (ServerlessKafka(), NewNetwork(), "iam")
    assert stage.pipeline_config("logins").runtime == "msk"


def test_the_kind_selects_the_model() -> None:
    stage = read({"dev": kafka(kind="express", brokers_per_zone=2)}, [])["dev"]
    assert stage.kafka == ExpressKafka(kind="express", brokers_per_zone=2)


def test_a_stage_is_immutable() -> None:
    stage = StageConfig.model_validate(PLACE | {"name": "dev"})
    with pytest.raises(ValidationError):
        stage.region = "eu-west-1"  # type: ignore[misc]


def test_the_stages_of_cdk_json() -> None:
    stages = read(json.loads(json.dumps(CONTEXT["stages"])), ["logins"])
    assert stages["prod"].kafka_auth == "iam"
    assert stages["prod"].redshift
