"""The checks over every stack: cdk-nag's AwsSolutions, CDK's own validation, cfn-lint."""

import json
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from cdk.acknowledged import ACKNOWLEDGED
from tests.infrastructure.conftest import ALTERNATIVES, WHOLE, Templates

LINT = {  # warnings that we leave, and why
    "W3005": "CDK adds the dependency of a custom resource's function on its role although the reference implies it",
    "W3010": "cdk.json names the zones: a synthesis without look-ups has no other way to have three of them",
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The reports of CDK's validation and cdk-nag on every choice, acknowledged findings included."""
    from cdk import synthesis  # noqa: PLC0415 - importing it starts Node

    out = tmp_path_factory.mktemp("checked")
    context = WHOLE | {"aws:cdk:bundling-stacks": [], "stages": WHOLE["stages"] | ALTERNATIVES}
    try:
        synthesis.app(context, str(out)).synth()
    except RuntimeError as error:
        assert str(error).startswith("ValidationFailed")  # noqa: PT017 - the report says what, the tests below show it
    return list(json.loads((out / "validation-report.json").read_text())["pluginReports"])


def findings(reports: list[dict[str, Any]], kind: str) -> Iterator[tuple[str, str]]:
    """Path and rule: ("prod/Kafka/Cluster", "AwsSolutions-MSK2")."""
    for report in reports:
        for violation in report.get(kind, []):
            for construct in violation["violatingConstructs"]:
                yield construct["constructPath"], violation["ruleName"]


def test_both_checks_ran(reports: list[dict[str, Any]]) -> None:
    assert {report["pluginName"] for report in reports} >= {"AwsSolutions", "CloudFormation Validate"}


def test_every_finding_is_acknowledged_except_two_warnings(reports: list[dict[str, Any]]) -> None:
    """The example names nobody for alarms, and ACLs come before they are required. It does not fail the synthesis."""
    silent = {name for name, stage in (WHOLE["stages"] | ALTERNATIVES).items() if "alarm_topic" not in stage}
    assert set(findings(reports, "violations")) == {
        ("scram/Kafka/ScramUsers", "Annotation::tandem:acls-not-required"),
        *((f"{name}/Monitoring/Alarms", "Annotation::tandem:alarms-reach-nobody") for name in silent),
    }


def test_every_acknowledgment_matches_a_finding(reports: list[dict[str, Any]]) -> None:
    used = {
        (violation["acknowledgedAt"].split("/", 1)[1], violation["reason"])
        for report in reports
        for violation in report.get("suppressedViolations", [])
    }
    for path, reasons in ACKNOWLEDGED.items():
        for reason in reasons.values():
            assert any(fnmatchcase(place, path) and used_reason == reason for place, used_reason in used), (
                path,
                reason,
            )
            assert len(reason.split()) > 3


def test_cfn_lint_finds_nothing(templates: Templates, out: Path) -> None:
    paths = sorted(str(path) for path in out.glob("assembly-*/*.template.json"))
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--format",
        "json",
        "--non-zero-exit-code",
        "none",
        *paths,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    messages = [(Path(each["Filename"]).name, each["Rule"]["Id"], each["Message"]) for each in found]
    assert [each for each in messages if each[1] not in LINT] == []
    assert {rule for _, rule, _ in messages} == LINT.keys()
