"""stage.env has valid settings with the CDK's names."""

from collections.abc import Mapping

import pytest

from cdk import names
from cdk.config import StageConfig
from cdk.runtimes.environment import REDSHIFT_TEXT_BYTES
from functions import settings
from functions.core.errors import InvalidSetting
from functions.core.names import kafka_user
from functions.settings import Settings
from tests.manifests.conftest import K8S, Rendered, render

ACCOUNT = "111122223333"  # AWS's example
PORTS = {"iam": 9098, "scram": 9096}


@pytest.fixture
def values(stage: str) -> dict[str, str]:
    lines = (K8S / "overlays" / stage / "stage.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


@pytest.fixture
def read(values: dict[str, str]) -> Settings:
    return settings.read(values | {"TANDEM_PIPELINE": "logins", "TANDEM_RACK": ""})


def test_every_line_is_a_setting(values: dict[str, str]) -> None:
    known = {f"TANDEM_{name.upper()}" for name in Settings.model_fields} | {"AWS_REGION"}
    assert set(values) <= known - {"TANDEM_PIPELINE"}


def test_names_match_the_stage(read: Settings, stage: str, stages: Mapping[str, StageConfig]) -> None:
    region = stages[stage].region
    assert (read.stage, read.region) == (stage, region)
    assert read.lake_bucket == names.lake_bucket(stage, ACCOUNT, region)
    assert read.dead_letter_bucket == names.dead_letter_bucket(stage, ACCOUNT, region)
    assert f":secret:{names.mask_key_secret(stage)}-" in read.mask_key_from
    own = f":secret:{names.scram_secret(kafka_user(stage, read.pipeline))}"
    assert read.scram_from is None or read.scram_from.endswith(own)


def test_the_brokers_port_matches_the_stages_authentication(
    read: Settings, stage: str, stages: Mapping[str, StageConfig]
) -> None:
    assert read.kafka_auth == stages[stage].kafka_auth
    ports = {int(broker.rpartition(":")[2]) for broker in read.bootstrap_servers.split(",")}
    assert ports == {PORTS[read.kafka_auth]}


def test_texts_are_limited_where_the_stage_has_a_warehouse(
    read: Settings, stage: str, stages: Mapping[str, StageConfig]
) -> None:
    assert read.max_text_bytes == (None if stages[stage].redshift is None else int(REDSHIFT_TEXT_BYTES))


def test_a_missing_line_is_reported(values: dict[str, str]) -> None:
    del values["TANDEM_LAKE_BUCKET"]
    with pytest.raises(InvalidSetting, match="TANDEM_LAKE_BUCKET: missing"):
        settings.read(values | {"TANDEM_PIPELINE": "logins"})


def test_every_object_is_in_the_stages_namespace(overlay: Rendered, administered: Rendered, stage: str) -> None:
    assert list(administered.kind("Namespace")) == [names.namespace(stage)]
    namespaced = [*overlay.objects, *(each for each in administered.objects if each["kind"] != "Namespace")]
    assert {each["metadata"].get("namespace") for each in namespaced} == {names.namespace(stage)}


def test_a_changed_value_changes_the_config_maps_name() -> None:
    """A new name causes a rolling update."""
    named = {name for stage in ("dev", "prod") for name in render(K8S / "overlays" / stage).kind("ConfigMap")}
    assert len({name for name in named if name.startswith("stage-")}) == 2
