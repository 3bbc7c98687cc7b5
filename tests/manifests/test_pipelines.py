"""Every pipeline has one worker in every stage, enabled or disabled according to cdk.json."""

from collections.abc import Mapping

import pytest

from cdk import external, names
from cdk.config import StageConfig
from functions import registry
from tests.manifests.conftest import K8S, Rendered

ALWAYS = {53, 80, 443, 9096, 9098}  # tests/manifests/test_network.py: DNS, Pod Identity, AWS, the brokers
OWNED = ("Deployment", "Service", "ServiceAccount", "PodDisruptionBudget")


def test_every_pipeline_has_a_folder() -> None:
    assert sorted(path.name for path in (K8S / "pipelines").iterdir()) == registry.names()


def test_a_worker_reaches_the_ports_that_its_pipeline_declares(
    overlay: Rendered, stage: str, stages: Mapping[str, StageConfig]
) -> None:
    for name in registry.names():
        rules = overlay.kind("NetworkPolicy")[names.worker(name)]["spec"]["egress"]
        extra = {each["port"] for rule in rules for each in rule["ports"]} - ALWAYS
        expected = set(external.ports(stages[stage], [registry.load(name)]))
        assert extra == expected, f"k8s/pipelines/{name}/kustomization.yaml: see docs/custom-sinks.md"


@pytest.mark.parametrize("kind", OWNED)
def test_every_pipeline_has_one_object_of_each_kind(overlay: Rendered, kind: str) -> None:
    found = overlay.kind(kind)
    assert sorted(found) == sorted(map(names.worker, registry.names()))
    assert sorted(each["metadata"]["labels"]["tandem/pipeline"] for each in found.values()) == registry.names()


def test_every_pipeline_has_one_autoscaler(overlay: Rendered) -> None:
    scalers = [*overlay.kind("HorizontalPodAutoscaler"), *overlay.kind("ScaledObject")]
    assert sorted(scalers) == sorted(map(names.worker, registry.names()))


def test_a_worker_has_its_pipeline_as_a_variable(overlay: Rendered) -> None:
    for pod in overlay.pods.values():
        variable = {each["name"]: each for each in pod["containers"][0]["env"]}["TANDEM_PIPELINE"]
        assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['tandem/pipeline']"


def test_a_worker_has_its_own_service_account(overlay: Rendered) -> None:
    """The CDK binds the pipeline's role to the service account of that name."""
    assert all(pod["serviceAccountName"] == name for name, pod in overlay.pods.items())


def test_a_worker_is_enabled_only_if_its_runtime_is(
    overlay: Rendered, stage: str, stages: Mapping[str, StageConfig]
) -> None:
    for name in registry.names():
        replicas = overlay.kind("Deployment")[names.worker(name)]["spec"].get("replicas")
        enabled = stages[stage].pipeline_config(name).runtime == "worker"
        assert replicas == (None if enabled else 0), f"{name} in {stage}"


def test_a_disabled_worker_is_not_scaled_up(overlay: Rendered) -> None:
    """An autoscaler's annotation also applies to KEDA once it becomes a ScaledObject."""
    resting = {name for name, each in overlay.kind("Deployment").items() if each["spec"].get("replicas") == 0}
    scalers = overlay.kind("HorizontalPodAutoscaler") | overlay.kind("ScaledObject")
    paused = {
        name
        for name, each in scalers.items()
        if each["metadata"]["annotations"].get("autoscaling.keda.sh/paused-replicas") == "0"
    }
    assert paused == resting
