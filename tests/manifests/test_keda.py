"""Scaling by lag: of the right group and topic, within the autoscaler's limits, in its place."""

from pathlib import Path

import pytest

from functions import registry
from functions.core import names
from tests.manifests.conftest import Object, Rendered, with_components


@pytest.fixture
def scaled(stage: str, tmp_path: Path) -> Rendered:
    return with_components(tmp_path, stage, "keda")


def trigger(rendered: Rendered, pipeline: str) -> Object:
    (only,) = rendered.kind("ScaledObject")[names.worker(pipeline)]["spec"]["triggers"]
    return dict(only)


@pytest.mark.parametrize("pipeline", registry.names())
def test_it_looks_at_the_group_of_both_runtimes(scaled: Rendered, stage: str, pipeline: str) -> None:
    looked_at = trigger(scaled, pipeline)["metadata"]
    declared = registry.load(pipeline)
    assert looked_at["consumerGroup"] == names.group(stage, pipeline)
    assert looked_at["topic"] == declared.topic
    assert looked_at["offsetResetPolicy"] == declared.start.value
    assert looked_at["bootstrapServers"] == scaled.environment["TANDEM_BOOTSTRAP_SERVERS"]
    assert looked_at["awsRegion"] == scaled.environment["AWS_REGION"]


@pytest.mark.parametrize("pipeline", registry.names())
def test_it_takes_the_autoscalers_place(scaled: Rendered, tmp_path: Path, stage: str, pipeline: str) -> None:
    plain_folder = tmp_path / "plain"
    plain_folder.mkdir()
    worker = names.worker(pipeline)
    before = with_components(plain_folder, stage).kind("HorizontalPodAutoscaler")[worker]["spec"]
    after = scaled.kind("ScaledObject")[worker]
    assert not scaled.kind("HorizontalPodAutoscaler")
    assert (after["spec"]["minReplicaCount"], after["spec"]["maxReplicaCount"]) == (
        before["minReplicas"],
        before["maxReplicas"],
    )
    assert after["spec"]["scaleTargetRef"] == before["scaleTargetRef"]
    own = after["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
    assert own == {"name": worker, "behavior": before["behavior"]}
    assert after["metadata"]["annotations"]["scaledobject.keda.sh/transfer-hpa-ownership"] == "true"


@pytest.mark.parametrize("pipeline", registry.names())
def test_without_brokers_it_stays_within_the_limits(scaled: Rendered, pipeline: str) -> None:
    spec = scaled.kind("ScaledObject")[names.worker(pipeline)]["spec"]
    assert spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]
    assert spec["fallback"]["behavior"] == "currentReplicasIfHigher"


def test_iam_is_kedas_own_identity(scaled: Rendered) -> None:
    told = trigger(scaled, "logins")
    assert told["metadata"]["sasl"] == "oauthbearer"
    assert told["metadata"]["saslTokenProvider"] == "aws_msk_iam"
    assert told["metadata"]["tls"] == "enable"
    authentication = scaled.kind("TriggerAuthentication")[told["authenticationRef"]["name"]]
    assert authentication["spec"] == {"podIdentity": {"provider": "aws"}}


def test_scram_is_the_stages_user(stage: str, tmp_path: Path) -> None:
    rendered = with_components(tmp_path, stage, "keda", "keda/scram")
    assert trigger(rendered, "logins")["metadata"]["sasl"] == "scram_sha512"
    read = rendered.one("TriggerAuthentication")["spec"]["awsSecretManager"]
    assert {each["name"] for each in read["secrets"]} == {names.scram_secret(stage)}
    assert {each["parameter"]: each["secretKey"] for each in read["secrets"]} == {
        "username": "username",
        "password": "password",
    }
    assert read["region"] == rendered.environment["AWS_REGION"]


def test_an_overlay_asks_as_its_workers_do(overlay: Rendered) -> None:
    sasl = {"iam": "oauthbearer", "scram": "scram_sha512"}[overlay.environment["TANDEM_KAFKA_AUTH"]]
    asked = {each["spec"]["triggers"][0]["metadata"]["sasl"] for each in overlay.kind("ScaledObject").values()}
    assert asked <= {sasl}


def test_a_pipeline_at_rest_stays_at_rest(tmp_path: Path) -> None:
    rendered = with_components(tmp_path, "dev", "rest", "keda")
    scaled = rendered.kind("ScaledObject")["worker-logins"]
    assert scaled["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"] == "0"
    assert rendered.kind("Deployment")["worker-logins"]["spec"]["replicas"] == 0
