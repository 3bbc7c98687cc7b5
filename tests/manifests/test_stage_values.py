"""stage.env: what settings take, with the names that CDK gives."""

from collections.abc import Mapping

import pytest

from cdk.config import StageConfig
from functions import settings
from functions.core import names
from functions.core.errors import InvalidSetting
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


def test_names_are_those_of_the_stage(read: Settings, stage: str, stages: Mapping[str, StageConfig]) -> None:
    region = stages[stage].region
    assert (read.stage, read.region) == (stage, region)
    assert read.lake_bucket == names.lake_bucket(stage, ACCOUNT, region)
    assert read.dead_letter_bucket == names.dead_letter_bucket(stage, ACCOUNT, region)
    assert f":secret:{names.mask_key_secret(stage)}-" in read.mask_key_from
    assert read.scram_from is None or f":secret:{names.scram_secret(stage)}-" in read.scram_from


def test_brokers_are_reached_as_the_stage_says(read: Settings, stage: str, stages: Mapping[str, StageConfig]) -> None:
    assert read.kafka_auth == stages[stage].kafka_auth
    ports = {int(broker.rpartition(":")[2]) for broker in read.bootstrap_servers.split(",")}
    assert ports == {PORTS[read.kafka_auth]}


def test_a_line_less_is_told(values: dict[str, str]) -> None:
    del values["TANDEM_LAKE_BUCKET"]
    with pytest.raises(InvalidSetting, match="TANDEM_LAKE_BUCKET: is missing"):
        settings.read(values | {"TANDEM_PIPELINE": "logins"})


def test_everything_lives_in_the_stages_namespace(overlay: Rendered, stage: str) -> None:
    assert list(overlay.kind("Namespace")) == [names.namespace(stage)]
    cluster_wide = {"Namespace", "PriorityClass"}
    found = {each["metadata"].get("namespace") for each in overlay.objects if each["kind"] not in cluster_wide}
    assert found == {names.namespace(stage)}


def test_a_changed_value_is_another_config_map() -> None:
    """So that it reaches the workers by a rolling update."""
    named = {name for stage in ("dev", "prod") for name in render(K8S / "overlays" / stage).kind("ConfigMap")}
    assert len({name for name in named if name.startswith("stage-")}) == 2
