"""Availability: replicas, zones, disruptions and deploys match each other and the topic."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cdk import names
from cdk.config import ZONES
from functions import registry
from functions.runtimes.worker.health import State
from tests.manifests.conftest import K8S, Object, Rendered, render, with_components

PIPELINES = registry.names()


@pytest.fixture
def plain(tmp_path: Path) -> Rendered:
    """Workers without any component."""
    return with_components(tmp_path, "prod")


def labels(deployment: Object) -> Mapping[str, str]:
    found: Mapping[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return found


@pytest.mark.parametrize("name", PIPELINES)
def test_selectors_match_the_pods_and_no_others(plain: Rendered, name: str) -> None:
    worker = names.worker(name)
    deployments = plain.kind("Deployment")
    selectors = {
        "deployment": deployments[worker]["spec"]["selector"]["matchLabels"],
        "service": plain.kind("Service")[worker]["spec"]["selector"],
        "budget": plain.kind("PodDisruptionBudget")[worker]["spec"]["selector"]["matchLabels"],
        "network": plain.kind("NetworkPolicy")[worker]["spec"]["podSelector"]["matchLabels"],
        **{
            each["topologyKey"]: each["labelSelector"]["matchLabels"]
            for each in plain.pods[worker]["topologySpreadConstraints"]
        },
    }
    for what, selector in selectors.items():
        chosen = {name for name, each in deployments.items() if selector.items() <= labels(each).items()}
        assert chosen == {worker}, what
        assert selector["tandem/pipeline"] == name, what


@pytest.mark.parametrize("name", PIPELINES)
def test_the_autoscaler_fits_the_topic_and_the_zones(plain: Rendered, name: str) -> None:
    scaler = plain.kind("HorizontalPodAutoscaler")[names.worker(name)]["spec"]
    partitions = registry.load(name).topic_config.partitions
    assert ZONES <= scaler["minReplicas"] <= scaler["maxReplicas"] <= partitions
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.worker(name)}
    assert {each["resource"]["name"] for each in scaler["metrics"]} == {"cpu", "memory"}
    assert "replicas" not in plain.kind("Deployment")[names.worker(name)]["spec"]


@pytest.mark.parametrize("name", PIPELINES)
def test_it_scales_down_slower_than_up(plain: Rendered, name: str) -> None:
    behaviour = plain.kind("HorizontalPodAutoscaler")[names.worker(name)]["spec"]["behavior"]
    (up,), (down,) = behaviour["scaleUp"]["policies"], behaviour["scaleDown"]["policies"]
    assert down["value"] / down["periodSeconds"] < up["value"] / up["periodSeconds"]
    assert behaviour["scaleDown"]["stabilizationWindowSeconds"] > behaviour["scaleUp"]["stabilizationWindowSeconds"]


def test_one_worker_at_a_time_is_replaced(overlay: Rendered) -> None:
    for name, deployment in overlay.kind("Deployment").items():
        rolling = deployment["spec"]["strategy"]["rollingUpdate"]
        assert rolling == {"maxSurge": 0, "maxUnavailable": 1}
        assert deployment["spec"]["minReadySeconds"] > 0
        assert overlay.kind("PodDisruptionBudget")[name]["spec"]["maxUnavailable"] == 1


def test_workers_spread_over_zones_first(overlay: Rendered) -> None:
    for pod in overlay.pods.values():
        keys = [each["topologyKey"] for each in pod["topologySpreadConstraints"]]
        assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        assert {each["maxSkew"] for each in pod["topologySpreadConstraints"]} == {1}


def test_the_priority_class_exists(overlay: Rendered) -> None:
    cluster = render(K8S / "cluster" / "priority")
    assert {pod["priorityClassName"] for pod in overlay.pods.values()} == set(cluster.kind("PriorityClass"))


def test_a_stopped_partition_holds_no_release_and_no_drain_up() -> None:
    """A rollout and a drain wait for readiness. The partition waits for an operator, perhaps for days."""
    now = 1000.0
    state = State(turned=now, assigned=True, brokers_seen=now, was_ready=now, stopped=("OffsetsWentBack",))
    assert state.unready(now) is None
    assert state.unhealthy(now, stall_seconds=60.0) is None


def test_a_worker_that_is_not_ready_does_not_hold_a_drain_up(overlay: Rendered) -> None:
    for name in overlay.pods:
        assert overlay.kind("PodDisruptionBudget")[name]["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
