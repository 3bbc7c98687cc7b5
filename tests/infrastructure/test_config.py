"""A wrong value stops with one line: its name, what it got, what it takes."""

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
    ("values", "told"),
    [
        ([], "stages.dev: got [], takes the stage's values"),
        ({"zones": PLACE["zones"]}, "stages.dev.region: is missing, takes a region like us-east-1"),
        (PLACE | {"region": "Ohio"}, "stages.dev.region: got 'Ohio', takes a region like us-east-1"),
        (
            PLACE | {"zones": ["us-east-1a", "us-east-1a", "us-east-1b"]},
            "stages.dev.zones: got us-east-1a, us-east-1a, us-east-1b, takes three zones of us-east-1",
        ),
        (
            PLACE | {"zones": ["us-east-1a", "us-east-1b", "us-east-2a"]},
            "stages.dev.zones: got us-east-1a, us-east-1b, us-east-2a, takes three zones of us-east-1",
        ),
        (PLACE | {"zones": PLACE["zones"][:2]}, "stages.dev.zones.2: is missing, takes the names of three zones"),
        (PLACE | {"acount": "1"}, "stages.dev.acount: got '1', but there is no such value"),
        (PLACE | {"account": "12"}, "stages.dev.account: got '12', takes an account's 12 digits, or null"),
        (PLACE | {"log_days": 31}, "stages.dev.log_days: got 31, takes 1, 3, 5, 7, 14, 30, 60, 90"),
        (PLACE | {"protected": "perhaps"}, "stages.dev.protected: got 'perhaps', takes a valid boolean"),
        (PLACE | {"alarm_email": "me"}, "stages.dev.alarm_email: got 'me', takes an e-mail address"),
        (network(kind="old"), "stages.dev.network.kind: got 'old', takes 'new', 'existing'"),
        (PLACE | {"network": {}}, "stages.dev.network.kind: is missing, takes one of new, existing"),
        (network(nat="two"), "stages.dev.network.nat: got 'two', takes 'none', 'one' or 'per-zone'"),
        (network(cidr="10.0.0.0/24"), "stages.dev.network.cidr: got '10.0.0.0/24', takes a private range from /16"),
        (network(cidr="8.8.0.0/16"), "stages.dev.network.cidr: got '8.8.0.0/16', takes a private range"),
        (network(cidr="10.0.0.1/16"), "stages.dev.network.cidr: got '10.0.0.1/16', takes a private range"),
        (
            PLACE | {"network": GIVEN["network"] | {"vpc": "vpc-XY"}},
            "stages.dev.network.vpc: got 'vpc-XY', takes the ID of a VPC, like vpc-0123abcd",
        ),
        (
            PLACE | {"network": GIVEN["network"] | {"subnets": ["subnet-0123abcd", "b", "subnet-0123abce"]}},
            "stages.dev.network.subnets.1: got 'b', takes the IDs of three private subnets",
        ),
        (
            kafka(storage_gib=500, most_storage_gib=100),
            "stages.dev.kafka.most_storage_gib: got 100, takes storage_gib or more",
        ),
        (kafka(instance="kafka.t3.small"), "stages.dev.kafka.instance: got 'kafka.t3.small', takes a larger one where"),
        (kafka(version="latest"), "stages.dev.kafka.version: got 'latest', takes one of MSK's versions"),
        (kafka(storage_gib=0), "stages.dev.kafka.storage_gib: got 0, takes greater than or equal to 1"),
        (kafka(instance="m7g"), "stages.dev.kafka.instance: got 'm7g', takes a size like kafka.m7g.large"),
        (kafka(kind="express", storage_gib=9), "stages.dev.kafka.storage_gib: got 9, but there is no such value"),
        (PLACE | {"kafka_auth": "scram"}, "stages.dev.kafka_auth: got 'scram', takes 'iam' where kafka is"),
        (PLACE | {"kafka_auth": "tls"}, "stages.dev.kafka_auth: got 'tls', takes 'iam' or 'scram'"),
        (given(arn="arn:aws:s3:::x"), "stages.dev.kafka.arn: got 'arn:aws:s3:::x', takes a cluster's ARN, like"),
        (given(bootstrap_servers="b-1"), "stages.dev.kafka.bootstrap_servers: got 'b-1', takes brokers as host:port"),
        (given(scram_secret=None), "stages.dev.kafka.scram_secret: is missing, takes an ARN where kafka_auth is scram"),
        (given(scram_key=None), "stages.dev.kafka.scram_key: is missing, takes an ARN where kafka_auth is scram"),
        (
            PLACE | {"eks": {"kind": "existing", "name": "shared", "security_group": "sg-0e0f0a0b"}},
            "stages.dev.network.nat: got 'none', takes 'one' or 'per-zone' where eks is existing",
        ),
        (GIVEN | {"eks": {"kind": "existing"}}, "stages.dev.eks.name: is missing, takes the cluster's name"),
        (PLACE | {"eks": {"kind": "new", "version": "2.0"}}, "stages.dev.eks.version: got '2.0', takes a version of"),
        (kafka(kind="standard", version="3.5.1"), "stages.dev.kafka.version: got '3.5.1', takes 3.6.0 or newer"),
        (kafka(kind="express", version="4.0.x"), "stages.dev.kafka.version: got '4.0.x', takes 3.6.0 or newer"),
        (run(runtime="both"), "stages.dev.pipelines.logins.runtime: got 'both', takes 'msk' or 'worker'"),
        (run(retries=3), "stages.dev.pipelines.logins.retries: got 3, takes provisioned mode: give pollers"),
        (run(record_age_seconds=60), "stages.dev.pipelines.logins.record_age_seconds: got 60, takes provisioned mode"),
        (run(pollers={"least": 3, "most": 2}), "stages.dev.pipelines.logins.pollers.most: got 2, takes least or more"),
        (run(timeout_seconds=900), "stages.dev.pipelines.logins.timeout_seconds: got 900, takes less than or equal to"),
        (run(batch_records="many"), "stages.dev.pipelines.logins.batch_records: got 'many', takes a valid integer"),
        (PLACE | {"pipelines": {"views": {}}}, "stages.dev.pipelines: got views, takes clicks, logins"),
        (PLACE | {"github": {"repository": "tandem"}}, "stages.dev.github.repository: got 'tandem', takes owner/name"),
        (
            PLACE | {"github": GITHUB | {"provider_arn": "arn:aws:iam::1:x"}},
            "stages.dev.github.provider_arn: got 'arn:aws:iam::1:x', takes arn:aws:iam::111122223333:oidc-provider/",
        ),
    ],
)  # fmt: skip
def test_one_line_says_what_is_wrong(values: Any, told: str) -> None:
    message = refused(values)
    assert told in message
    assert "\n" not in message


def test_several_wrong_values_are_told_at_once() -> None:
    message = refused(network(nat="two") | {"kafka_auth": "tls"})
    assert "stages.dev.network.nat: got 'two'" in message
    assert "stages.dev.kafka_auth: got 'tls'" in message


@pytest.mark.parametrize("context", [None, [], {}, "dev"])
def test_no_stages(context: object) -> None:
    with pytest.raises(InvalidConfig, match=r"^stages: got .*, takes \{\"dev\": \{...\}, ...\} in the context"):
        read(context, ["logins"])


@pytest.mark.parametrize("name", ["d", "Dev", "development", "dev-", "9dev"])
def test_a_stages_name_is_short(name: str) -> None:
    with pytest.raises(InvalidConfig, match=rf"^stages\.{name}\.name: got '{name}', takes 2 to 8 lower-case letters"):
        read({name: PLACE}, [])


def test_an_account_has_one_provider() -> None:
    stages = {"dev": PLACE | {"github": GITHUB}, "prod": PLACE | {"github": GITHUB}}
    with pytest.raises(InvalidConfig, match=r"^stages\.prod\.github\.provider_arn: is missing, .* stage 'dev' makes"):
        read(stages, [])
    apart = {name: stage | {"account": f"{number:012}"} for number, (name, stage) in enumerate(stages.items())}
    assert read(apart, []).keys() == {"dev", "prod"}


def test_what_is_left_out_has_defaults() -> None:
    stage = read({"dev": PLACE}, ["logins"])["dev"]
    assert (stage.kafka, stage.network, stage.kafka_auth) == (ServerlessKafka(), NewNetwork(), "iam")
    assert stage.run("logins").runtime == "msk"


def test_the_kind_chooses_the_values() -> None:
    stage = read({"dev": kafka(kind="express", brokers_per_zone=2)}, [])["dev"]
    assert stage.kafka == ExpressKafka(kind="express", brokers_per_zone=2)


def test_a_stage_does_not_change() -> None:
    stage = StageConfig.model_validate(PLACE | {"name": "dev"})
    with pytest.raises(ValidationError):
        stage.region = "eu-west-1"  # type: ignore[misc]


def test_the_stages_of_cdk_json() -> None:
    stages = read(json.loads(json.dumps(CONTEXT["stages"])), ["logins"])
    assert stages["prod"].kafka_auth == "scram"
    assert stages["prod"].redshift
