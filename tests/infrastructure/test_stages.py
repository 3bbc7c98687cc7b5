"""What all stages share."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.infrastructure.conftest import Templates, synthesise

STACKS = {"keys", "network", "kafka", "stores", "analytics", "lambda", "eks", "monitoring", "deployrole"}
SNAPSHOTS = ["keys", "network", "kafka", "stores", "analytics", "lambda", "eks", "deployrole"]
ASSET = re.compile(r"[0-9a-f]{64}")
VERSION = re.compile(r"(CurrentVersion[0-9A-Z]{8})[0-9a-f]{32}")  # CDK hashes the function's code into it


def test_both_stages_have_their_stacks(templates: Templates) -> None:
    assert {stage for stage, _ in templates.by_stack} == {"dev", "prod"}
    for stage in ("dev", "prod"):
        assert {stack for name, stack in templates.by_stack if name == stage} == STACKS


def test_a_stage_without_eks_has_no_eks_stack(alternatives: Templates) -> None:
    assert ("lean", "eks") not in alternatives.by_stack


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize("stack", SNAPSHOTS)
def test_template(templates: Templates, snapshot: SnapshotAssertion, stage: str, stack: str) -> None:
    """Update with --snapshot-update, and read the diff. Snapshots have no asset hashes and no exports."""
    text = VERSION.sub(r"\1<hash>", ASSET.sub("<asset>", json.dumps(templates[stage, stack])))
    kept = {**(template := json.loads(text)), "Outputs": _own(template.get("Outputs", {}))}
    assert kept == snapshot(extension_class=JSONSnapshotExtension)


def _own(outputs: dict[str, Any]) -> dict[str, Any]:
    """Outputs without those that CDK adds for other stacks."""
    return {name: output for name, output in outputs.items() if not name.startswith(("ExportsOutput", "PublishOutput"))}


def test_synthesis_is_deterministic(templates: Templates, tmp_path: Path) -> None:
    assert synthesise(tmp_path).by_stack == templates.by_stack


def test_a_protected_stage_has_termination_protection(templates: Templates, out: Path) -> None:
    for stage, protected in (("dev", False), ("prod", True)):
        manifest = json.loads((out / f"assembly-{stage}" / "manifest.json").read_text())
        stacks = [each for each in manifest["artifacts"].values() if each["type"] == "aws:cloudformation:stack"]
        assert len(stacks) == len(STACKS)
        assert {each["properties"].get("terminationProtection", False) for each in stacks} == {protected}


def test_nothing_is_looked_up(templates: Templates, out: Path) -> None:
    for manifest in out.glob("**/manifest.json"):
        assert not json.loads(manifest.read_text()).get("missing")


def test_the_key_rotates_and_only_this_accounts_logs_may_use_it(templates: Templates) -> None:
    key = templates.one("prod", "keys", "AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    (logs,) = [each for each in key["KeyPolicy"]["Statement"] if each.get("Sid") == "LogGroups"]
    (pattern,) = logs["Condition"]["ArnLike"].values()
    assert pattern["Fn::Join"][1] == ["arn:aws:logs:us-east-1:", {"Ref": "AWS::AccountId"}, ":log-group:*"]
