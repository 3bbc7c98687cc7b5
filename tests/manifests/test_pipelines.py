"""Every pipeline has its worker, once in every stage, and rests there or works as cdk.json says."""

from collections.abc import Mapping

import pytest

from cdk.config import StageConfig
from functions import registry
from functions.core import names
from tests.manifests.conftest import K8S, Rendered

OWNED = ("Deployment", "Service", "ServiceAccount", "PodDisruptionBudget")


def test_every_pipeline_has_a_folder() -> None:
    assert sorted(path.name for path in (K8S / "pipelines").iterdir()) == registry.names()


@pytest.mark.parametrize("kind", OWNED)
def test_every_pipeline_is_there_once(overlay: Rendered, kind: str) -> None:
    found = overlay.kind(kind)
    assert sorted(found) == sorted(map(names.worker, registry.names()))
    assert sorted(each["metadata"]["labels"]["tandem/pipeline"] for each in found.values()) == registry.names()


def test_every_pipeline_has_one_autoscaler(overlay: Rendered) -> None:
    scalers = [*overlay.kind("HorizontalPodAutoscaler"), *overlay.kind("ScaledObject")]
    assert sorted(scalers) == sorted(map(names.worker, registry.names()))


def test_a_worker_is_told_its_pipeline(overlay: Rendered) -> None:
    for pod in overlay.pods.values():
        told = {each["name"]: each for each in pod["containers"][0]["env"]}["TANDEM_PIPELINE"]
        assert told["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['tandem/pipeline']"


def test_a_worker_has_its_own_account(overlay: Rendered) -> None:
    """CDK gives the pipeline's role to the account of that name."""
    assert all(pod["serviceAccountName"] == name for name, pod in overlay.pods.items())


def test_a_worker_rests_unless_its_runtime_is_enabled(
    overlay: Rendered, stage: str, stages: Mapping[str, StageConfig]
) -> None:
    for name in registry.names():
        replicas = overlay.kind("Deployment")[names.worker(name)]["spec"].get("replicas")
        enabled = stages[stage].run(name).runtime == "worker"
        assert replicas == (None if enabled else 0), f"{name} in {stage}"


def test_what_rests_is_not_woken(overlay: Rendered) -> None:
    """By KEDA, which an autoscaler's annotation would reach too once it is made a ScaledObject."""
    resting = {name for name, each in overlay.kind("Deployment").items() if each["spec"].get("replicas") == 0}
    scalers = overlay.kind("HorizontalPodAutoscaler") | overlay.kind("ScaledObject")
    paused = {
        name
        for name, each in scalers.items()
        if each["metadata"]["annotations"].get("autoscaling.keda.sh/paused-replicas") == "0"
    }
    assert paused == resting
