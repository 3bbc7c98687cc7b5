"""Alerts fire only when they should: promtool's unit tests, and rules for all alerts."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.adapters.prometheus import PrometheusMeter
from tests.manifests.prometheus import rules

HERE = Path(__file__).parent
SUITES = sorted(HERE.glob("*.yaml"))
REPOSITORY = "https://github.com/example/tandem/blob/main/"
KUBE_STATE_METRICS = {
    "kube_pod_status_ready",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_available",
    "kube_pod_container_status_restarts_total",
    "kube_horizontalpodautoscaler_status_condition",
}


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("needs promtool, from Debian's package prometheus")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(rules.plain())
    return tmp_path


def run(*command: str | Path) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_plain_prometheus_accepts_the_rules(promtool: str, folder: Path) -> None:
    run(promtool, "check", "rules", folder / "rules.yaml")


def test_plain_prometheus_accepts_the_shortened_rules(promtool: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(rules.shortened(2))
    run(promtool, "check", "rules", tmp_path / "rules.yaml")
    assert not rules.MINUTES.search(rules.shortened(2))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.stem)
def test_alerts_fire_and_stay_silent(promtool: str, folder: Path, suite: Path) -> None:
    run(promtool, "test", "rules", shutil.copy(suite, folder))


def test_every_alert_has_a_case_that_fires_and_a_silent_one() -> None:
    seen: dict[str, set[bool]] = defaultdict(set)
    for suite in SUITES:
        for case in yaml.safe_load(suite.read_text())["tests"]:
            for check in case["alert_rule_test"]:
                seen[check["alertname"]].add(bool(check.get("exp_alerts")))
    assert dict(seen) == {name: {True, False} for name in rules.alerts()}


@pytest.mark.parametrize("alert", rules.alerts().values(), ids=rules.alerts().keys())
def test_an_alert_has_a_severity_a_description_and_a_runbook(alert: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+m", alert["for"])
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert "{{ $labels." in alert["annotations"]["summary"]
    assert alert["annotations"]["runbook_url"].startswith(REPOSITORY)


@pytest.mark.parametrize("alert", rules.alerts().values(), ids=rules.alerts().keys())
def test_the_runbook_of_an_alert_exists(alert: dict[str, Any]) -> None:
    page = alert["annotations"]["runbook_url"].removeprefix(REPOSITORY)
    assert Path(page).is_file()


def test_rules_use_existing_metrics() -> None:
    ours = set(re.findall(r"^# TYPE (\w+)", PrometheusMeter("logins").page().decode(), re.MULTILINE))
    ours |= {f"{name}_count" for name in ours}
    recorded = {rule["record"] for group in rules.groups() for rule in group["rules"] if "record" in rule}
    for group in rules.groups():
        for rule in group["rules"]:
            named = set(re.findall(r"\b(?:namespace_pipeline:)?(?:tandem|kube)_[a-z_]+(?::\w+)?", rule["expr"]))
            assert named
            assert named <= ours | KUBE_STATE_METRICS | recorded, rule
