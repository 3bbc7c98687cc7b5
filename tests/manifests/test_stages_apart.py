"""Two stages share a cluster: what one of them applies or deletes is not the other's."""

from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.manifests.conftest import K8S, STAGES, Rendered, render, with_components

# Kinds without a namespace, or that act beyond it: one stage's copy would be another stage's too, or would act twice.
OF_A_CLUSTER = {"PriorityClass", "NodePool", "PrometheusRule", "ClusterRole", "ClusterRoleBinding", "StorageClass"}
COMPONENTS = sorted(
    str(path.parent.relative_to(K8S / "components"))
    for path in (K8S / "components").rglob("kustomization.yaml")
    if path.parent.name != "logging"  # a separate overlay, once per cluster
)

Identity = tuple[str, str, str, str]


def identities(*rendered: Rendered) -> set[Identity]:
    """(API group, kind, namespace, name) of every object."""
    return {
        (
            each["apiVersion"].partition("/")[0],
            each["kind"],
            each["metadata"].get("namespace", ""),
            each["metadata"]["name"],
        )
        for one in rendered
        for each in one.objects
    }


def applied(stage: str) -> set[Identity]:
    overlay = K8S / "overlays" / stage
    return identities(render(overlay), render(overlay / "stage"))


def test_no_object_belongs_to_two_stages() -> None:
    for one, other in combinations(STAGES, 2):
        assert applied(one) & applied(other) == set()


@pytest.mark.parametrize("stage", STAGES)
def test_deleting_a_stage_deletes_no_object_of_the_cluster(stage: str) -> None:
    kinds = {kind for _, kind, _, _ in applied(stage)}
    assert not kinds & OF_A_CLUSTER
    assert {kind for _, kind, namespace, _ in applied(stage) if not namespace} == {"Namespace"}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_adds_only_objects_of_its_stage(component: str, stage: str, tmp_path: Path) -> None:
    parents = {"keda/scram": ["keda"], "secrets/scram": ["secrets"]}.get(component, [])
    added = with_components(tmp_path, stage, *parents, component)
    assert {each["metadata"].get("namespace") for each in added.objects} == {f"tandem-{stage}"}
    assert not {each["kind"] for each in added.objects} & OF_A_CLUSTER
    dashboards = [each for each in added.objects if "grafana_dashboard" in each["metadata"].get("labels", {})]
    assert dashboards == []  # Grafana would show one dashboard's ID twice


def test_what_a_release_applies_needs_no_earlier_object_of_the_same_apply() -> None:
    """`kubectl diff` asks the server about each object alone, and fails for those in a namespace that is missing."""
    for stage in STAGES:
        overlay = K8S / "overlays" / stage
        created = {
            each["metadata"]["name"] for each in render(overlay / "stage").objects if each["kind"] == "Namespace"
        }
        release = render(overlay)
        assert {each["metadata"]["namespace"] for each in release.objects} <= created
        assert not release.kind("Namespace")


def test_alerts_and_dashboard_are_applied_once_and_serve_every_stage() -> None:
    once = render(K8S / "cluster/monitoring")
    assert {kind for _, kind, _, _ in identities(once)} == {"PrometheusRule", "ConfigMap"}
    assert {namespace for _, _, namespace, _ in identities(once)} == {"monitoring"}
    included = [path for folder in ("base", "components", "overlays") for path in (K8S / folder).rglob("*.yaml")]
    assert not [path for path in included if "PrometheusRule" in kinds(path)]


def kinds(path: Path) -> set[str]:
    """The kinds in a file. Patches without a kind have none."""
    documents = yaml.safe_load_all(path.read_text())
    return {each["kind"] for each in documents if isinstance(each, dict) and "kind" in each}
