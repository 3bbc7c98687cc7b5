"""Alerts fire when they should and are quiet when they should: promtool's unit tests, and laws that all alerts keep."""

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
OTHERS = {  # of kube-state-metrics
    "kube_pod_status_ready",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_available",
    "kube_pod_container_status_restarts_total",
}


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("takes promtool, of Debian's package prometheus")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(rules.plain())
    return tmp_path


def run(*command: str | Path) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_plain_prometheus_takes_the_rules(promtool: str, folder: Path) -> None:
    run(promtool, "check", "rules", folder / "rules.yaml")


def test_plain_prometheus_takes_the_shortened_rules(promtool: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(rules.shortened(2))
    run(promtool, "check", "rules", tmp_path / "rules.yaml")
    assert not rules.MINUTES.search(rules.shortened(2))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.stem)
def test_alerts_fire_and_are_quiet(promtool: str, folder: Path, suite: Path) -> None:
    run(promtool, "test", "rules", shutil.copy(suite, folder))


def test_every_alert_has_a_case_that_fires_and_one_that_is_quiet() -> None:
    seen: dict[str, set[bool]] = defaultdict(set)
    for suite in SUITES:
        for case in yaml.safe_load(suite.read_text())["tests"]:
            for check in case["alert_rule_test"]:
                seen[check["alertname"]].add(bool(check.get("exp_alerts")))
    assert dict(seen) == {name: {True, False} for name in rules.alerts()}


@pytest.mark.parametrize("alert", rules.alerts().values(), ids=rules.alerts().keys())
def test_an_alert_says_how_grave_it_is_what_is_wrong_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+m", alert["for"])
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert "{{ $labels." in alert["annotations"]["summary"]
    assert alert["annotations"]["runbook_url"].startswith(REPOSITORY)


@pytest.mark.parametrize("alert", rules.alerts().values(), ids=rules.alerts().keys())
def test_the_page_that_an_alert_names_is_there(alert: dict[str, Any]) -> None:
    page = alert["annotations"]["runbook_url"].removeprefix(REPOSITORY)
    assert Path(page).is_file()


def test_rules_speak_of_metrics_that_there_are() -> None:
    ours = set(re.findall(r"^# TYPE (\w+)", PrometheusMeter("logins").page().decode(), re.MULTILINE))
    ours |= {f"{name}_count" for name in ours}
    recorded = {rule["record"] for group in rules.groups() for rule in group["rules"] if "record" in rule}
    for group in rules.groups():
        for rule in group["rules"]:
            named = set(re.findall(r"\b(?:namespace_pipeline:)?(?:tandem|kube)_[a-z_]+(?::\w+)?", rule["expr"]))
            assert named
            assert named <= ours | OTHERS | recorded, rule
