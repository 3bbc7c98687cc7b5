"""The synthesised templates of both stages, made once for each process of the test run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cdk import node

node.use()

ROOT = Path(__file__).parents[2]
UNCHECKED = {"aws:cdk:bundling-stacks": [], "@aws-cdk/core:validateAgainstDefaultRules": False}
HASH = 8  # characters that CDK adds to a stack's ID


@dataclass(frozen=True)
class Templates:
    """Templates by stage and stack, such as ("prod", "kafka"), as plain data."""

    by_stack: Mapping[tuple[str, str], dict[str, Any]]

    def __getitem__(self, stack: tuple[str, str]) -> dict[str, Any]:
        return self.by_stack[stack]

    def resources(self, stage: str, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a type, such as AWS::S3::Bucket, by logical ID."""
        found = self[stage, stack].get("Resources", {})
        return {name: resource for name, resource in found.items() if resource["Type"] == kind}

    def one(self, stage: str, stack: str, kind: str) -> dict[str, Any]:
        """The properties of the only resource of that type."""
        (only,) = self.resources(stage, stack, kind).values()
        return dict(only["Properties"])


def synthesise(out: Path, stages: Mapping[str, Any] | None = None) -> Templates:
    """Synthesise these stages, those of cdk.json unless told otherwise, without building the zip and without the checks."""
    from cdk import synthesis  # noqa: PLC0415 - importing it starts Node

    context = json.loads((ROOT / "cdk.json").read_text())["context"] | UNCHECKED
    synthesis.app(context | {"stages": stages or context["stages"]}, str(out), checked=False).synth()
    found = {}
    for path in out.glob("assembly-*/*.template.json"):
        name = path.parent.name.removeprefix("assembly-")
        stack = path.name.removesuffix(".template.json").removeprefix(name)[:-HASH].lower()
        found[name, stack] = json.loads(path.read_text())
    return Templates(found)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Of cdk.json's stages."""
    return synthesise(tmp_path_factory.mktemp("cdk"))
