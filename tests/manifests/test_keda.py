"""KEDA scales by the lag of the right group and topic, within the autoscaler's limits, and replaces it."""

import json
from pathlib import Path

import jsonschema
import pytest

from cdk import names
from functions import registry
from functions.core.names import consumer_group, scaler_user
from tests.manifests.conftest import Object, Rendered, with_components
from tests.manifests.kafka_scaler import READ_SECONDS, KafkaScaler, Offsets


@pytest.fixture
def scaled(stage: str, tmp_path: Path) -> Rendered:
    return with_components(tmp_path, stage, "keda")


def trigger(rendered: Rendered, pipeline: str) -> Object:
    (only,) = rendered.kind("ScaledObject")[names.worker(pipeline)]["spec"]["triggers"]
    return dict(only)


@pytest.mark.parametrize("pipeline", registry.names())
def test_it_reads_the_lag_of_the_pipelines_group(scaled: Rendered, stage: str, pipeline: str) -> None:
    metadata = trigger(scaled, pipeline)["metadata"]
    declared = registry.load(pipeline)
    assert metadata["consumerGroup"] == consumer_group(stage, pipeline)
    assert metadata["topic"] == declared.topic
    assert metadata["offsetResetPolicy"] == declared.start.value
    assert metadata["bootstrapServers"] == scaled.environment["TANDEM_BOOTSTRAP_SERVERS"]
    assert metadata["awsRegion"] == scaled.environment["AWS_REGION"]


@pytest.mark.parametrize("pipeline", registry.names())
def test_it_replaces_the_autoscaler(scaled: Rendered, tmp_path: Path, stage: str, pipeline: str) -> None:
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


def scaler(rendered: Rendered, **changed: str) -> KafkaScaler:
    spec = rendered.kind("ScaledObject")["worker-logins"]["spec"]
    return KafkaScaler(
        trigger(rendered, "logins")["metadata"] | changed, spec["minReplicaCount"], spec["maxReplicaCount"]
    )


def backlog(after: int, every: int) -> list[Offsets]:
    """12 partitions, 150,000 records behind each. A worker settles 200 a second of each, and commits in turn."""
    return [Offsets(0, 150_000, (after + 3 * number) // every * every * 200) for number in range(12)]


def wanted(scaler: KafkaScaler, commits_every: int) -> list[int]:
    return [scaler.replicas(backlog(after, commits_every)) for after in range(0, 260, READ_SECONDS)]


@pytest.mark.parametrize("commits_every", [5, 20, 40, 120])
def test_a_backlog_adds_workers_however_often_they_commit(scaled: Rendered, commits_every: int) -> None:
    assert min(wanted(scaler(scaled), commits_every)) == 12


def test_this_test_would_notice_a_scaler_that_does_not_see_the_backlog(scaled: Rendered) -> None:
    blind = scaler(scaled, excludePersistentLag="true")
    assert sum(replicas < 12 for replicas in wanted(blind, 40)) > len(wanted(blind, 40)) / 2


def test_no_lag_needs_only_the_minimum(scaled: Rendered) -> None:
    assert scaler(scaled).replicas([Offsets(0, 900_000, 900_000)] * 12) == 3


def test_a_group_without_commits_does_not_start_every_worker(scaled: Rendered) -> None:
    """A new group, or commits that expired: the ledger knows where to go on, KEDA does not."""
    assert scaler(scaled).replicas([Offsets(1_000, 900_000, None)] * 12) == 3
    assert scaler(scaled, scaleToZeroOnInvalidOffset="false").replicas([Offsets(1_000, 900_000, None)] * 12) == 12


def test_one_stopped_partition_alone_adds_no_worker(scaled: Rendered) -> None:
    stopped = [Offsets(0, 5_000_000, 10), *[Offsets(0, 900, 900)] * 11]
    assert scaler(scaled).replicas(stopped) == 3


@pytest.mark.parametrize("components", [["keda"], ["keda", "keda/scram"]])
def test_the_triggers_parameters_are_those_of_the_pinned_keda(
    components: list[str], stage: str, tmp_path: Path
) -> None:
    """A misspelt parameter is ignored by KEDA, so that its default would apply."""
    schema = json.loads((Path(__file__).parent / "schemas/keda-kafka-trigger.json").read_text())
    metadata = trigger(with_components(tmp_path, stage, *components), "logins")["metadata"]
    jsonschema.validate(metadata, schema)
    with pytest.raises(jsonschema.ValidationError, match="'limitToPartitions' was unexpected"):
        jsonschema.validate(metadata | {"limitToPartitions": "true"}, schema)


@pytest.mark.parametrize("pipeline", registry.names())
def test_without_brokers_it_keeps_the_limits(scaled: Rendered, pipeline: str) -> None:
    spec = scaled.kind("ScaledObject")[names.worker(pipeline)]["spec"]
    assert spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]
    assert spec["fallback"]["behavior"] == "currentReplicasIfHigher"


def test_iam_is_kedas_own_identity(scaled: Rendered) -> None:
    kafka = trigger(scaled, "logins")
    assert kafka["metadata"]["sasl"] == "oauthbearer"
    assert kafka["metadata"]["saslTokenProvider"] == "aws_msk_iam"
    assert kafka["metadata"]["tls"] == "enable"
    authentication = scaled.kind("TriggerAuthentication")[kafka["authenticationRef"]["name"]]
    assert authentication["spec"] == {"podIdentity": {"provider": "aws"}}


def test_scram_uses_kedas_own_user(stage: str, tmp_path: Path) -> None:
    rendered = with_components(tmp_path, stage, "keda", "keda/scram")
    assert trigger(rendered, "logins")["metadata"]["sasl"] == "scram_sha512"
    read = rendered.one("TriggerAuthentication")["spec"]["awsSecretManager"]
    assert {each["name"] for each in read["secrets"]} == {names.scram_secret(scaler_user(stage))}
    assert {each["parameter"]: each["secretKey"] for each in read["secrets"]} == {
        "username": "username",
        "password": "password",
    }
    assert read["region"] == rendered.environment["AWS_REGION"]


def test_an_overlay_authenticates_like_its_workers(overlay: Rendered) -> None:
    sasl = {"iam": "oauthbearer", "scram": "scram_sha512"}[overlay.environment["TANDEM_KAFKA_AUTH"]]
    mechanisms = {each["spec"]["triggers"][0]["metadata"]["sasl"] for each in overlay.kind("ScaledObject").values()}
    assert mechanisms <= {sasl}


def test_a_disabled_worker_is_not_scaled_up(tmp_path: Path) -> None:
    rendered = with_components(tmp_path, "dev", "rest", "keda")
    scaled = rendered.kind("ScaledObject")["worker-logins"]
    assert scaled["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"] == "0"
    assert rendered.kind("Deployment")["worker-logins"]["spec"]["replicas"] == 0
