"""The dashboard is complete and readable, uses only existing metrics, and links a runbook for every failure."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.adapters.prometheus import PrometheusMeter
from tests.manifests.prometheus import rules
from tests.manifests.prometheus.dashboard import SOURCE, VARIABLE, dashboard, panels
from tests.manifests.prometheus.test_rules import KUBE_STATE_METRICS

SHOWN = pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
BUILT_IN = {"__rate_interval", "__range"}
FOREIGN = KUBE_STATE_METRICS | {"kube_pod_container_resource_requests"}


def test_it_has_four_rows() -> None:
    assert [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"] == [
        "Health",
        "Throughput and lag",
        "Cost",
        "Rejects and redelivery",
    ]


def test_ids_and_titles_are_unique_and_panels_do_not_overlap() -> None:
    every = dashboard()["panels"]
    assert len({panel["id"] for panel in every}) == len({panel["title"] for panel in every}) == len(every)
    for one, other in combinations((panel["gridPos"] for panel in every), 2):
        apart = [one[at] + one[size] <= other[at] or other[at] + other[size] <= one[at] for at, size in ("xw", "yh")]
        assert any(apart), (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in (panel["gridPos"] for panel in every))


@SHOWN
def test_a_panel_has_a_description_and_a_unit(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["description"].endswith(".")
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert all(target["legendFormat"] or panel["type"] == "stat" for target in panel["targets"])


@SHOWN
def test_a_query_filters_by_namespace_and_uses_existing_metrics(panel: dict[str, Any]) -> None:
    ours = set(re.findall(r"^# TYPE (\w+)", PrometheusMeter("logins").page().decode(), re.MULTILINE))
    ours |= {name + end for name in ours for end in ("_count", "_sum", "_bucket")}
    variables = {variable["name"] for variable in dashboard()["templating"]["list"]}
    for target in panel["targets"]:
        named = set(re.findall(r"\b(?:tandem|kube|process)_[a-z_]+", target["expr"]))
        assert named <= ours | FOREIGN
        assert target["expr"].count('namespace="$namespace"') >= len(named)
        assert set(VARIABLE.findall(target["expr"])) <= variables | BUILT_IN


def test_every_runbook_of_an_alert_is_linked() -> None:
    linked = {link["url"] for panel in panels() for link in panel.get("links", ())}
    named = {alert["annotations"]["runbook_url"] for alert in rules.alerts().values()}
    assert linked == named


def test_grafanas_sidecar_finds_it() -> None:
    component = yaml.safe_load(SOURCE.with_name("kustomization.yaml").read_text())
    (generated,) = component["configMapGenerator"]
    assert generated["files"] == [SOURCE.name]
    assert generated["options"]["labels"]["grafana_dashboard"] == "1"
    assert Path(SOURCE).stat().st_size < 2**20, "a ConfigMap holds at most 1 MiB"
