"""app.py run directly and by the CDK's command line."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cdk import acknowledged
from tests.infrastructure.conftest import CONTEXT, PLACE, ROOT, Templates


def by_command_line(out: Path, stages: Any) -> subprocess.CompletedProcess[str]:
    """As `cdk synth` starts it: the context is in the environment."""
    environment = os.environ | {"CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps({"stages": stages})}
    command = [sys.executable, "app.py"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (
            {"dev": PLACE | {"kafka_auth": "tls"}},
            "error: stages.dev.kafka_auth: got 'tls', expected 'iam' or 'scram'\n",
        ),
        (None, 'error: stages: got None, expected {"dev": {...}, ...} in the context of cdk.json\n'),
    ],
)
def test_an_invalid_value_is_one_line_and_no_traceback(tmp_path: Path, stages: Any, message: str) -> None:
    done = by_command_line(tmp_path, stages)
    assert (done.returncode, done.stderr, done.stdout) == (1, message, "")
    assert not list(tmp_path.glob("**/*.template.json"))


def test_a_finding_fails_the_synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = PLACE | {"eks": {"kind": "none"}, "github": {"repository": "example/tandem", "environment": "dev"}}
    context = CONTEXT | {"aws:cdk:bundling-stacks": [], "stages": {"dev": stage}}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": context}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "out"))
    monkeypatch.delenv("CDK_CONTEXT_JSON", raising=False)
    monkeypatch.setattr(acknowledged, "ACKNOWLEDGED", {})
    with pytest.raises(SystemExit, match=r"^error: the checks above failed"):
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
    report = json.loads((tmp_path / "out" / "validation-report.json").read_text())
    found = {violation["ruleName"] for each in report["pluginReports"] for violation in each["violations"]}
    assert any(rule.startswith("AwsSolutions-IAM5[") for rule in found)


def test_the_cdk_knows_every_flag_of_cdk_json(templates: Templates, out: Path) -> None:
    artifacts = json.loads((out / "manifest.json").read_text())["artifacts"].values()
    (report,) = [each for each in artifacts if each["type"] == "cdk:feature-flag-report"]
    assert {name for name in CONTEXT if name.startswith("@aws-cdk/")} <= report["properties"]["flags"].keys()
