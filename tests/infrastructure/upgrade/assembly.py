"""The stacks of a stage in the order in which the CDK deploys them, synthesised or as a release had them."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions.core.pipeline import AnyPipeline
from tests.infrastructure.conftest import REFERENCE, synthesise
from tests.infrastructure.upgrade.account import Stacks, Template

RELEASED = Path(__file__).parents[1] / "released"


def stacks(
    stage: str,
    values: Mapping[str, Any],
    pipelines: Mapping[str, AnyPipeline] = REFERENCE,
    flags: Mapping[str, object] | None = None,
) -> Stacks:
    """Synthesise one stage."""
    with TemporaryDirectory() as folder:
        synthesise(Path(folder), {stage: values}, pipelines, flags)
        return read(Path(folder) / f"assembly-{stage}")


def read(assembly: Path) -> Stacks:
    """The stacks of a stage's cloud assembly."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    return list(_ordered(assembly, artifacts))


def released(version: str, stage: str) -> Stacks:
    """The stacks of a stage of the repository's cdk.json, as that version synthesised them."""
    return [(name, template) for name, template in json.loads(gzip.decompress(_path(version, stage).read_bytes()))]


def keep(version: str, stage: str, made: Stacks) -> None:
    """Keep the stacks for the following versions. The same stacks give the same bytes."""
    _path(version, stage).parent.mkdir(parents=True, exist_ok=True)
    _path(version, stage).write_bytes(gzip.compress(json.dumps(made).encode(), mtime=0))


def _path(version: str, stage: str) -> Path:
    return RELEASED / version / f"{stage}.json.gz"


def _ordered(assembly: Path, artifacts: Mapping[str, Any]) -> Iterator[tuple[str, Template]]:
    waiting = [name for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"]
    while waiting:
        name = next(name for name in waiting if not set(artifacts[name].get("dependencies", ())) & set(waiting))
        waiting.remove(name)
        properties = artifacts[name]["properties"]
        yield properties["stackName"], json.loads((assembly / properties["templateFile"]).read_text())
