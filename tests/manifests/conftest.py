"""The manifests as kustomize renders them, made once for each overlay and process of the test run."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from cdk import context
from cdk.config import StageConfig
from functions import registry

ROOT: Final = Path(__file__).parents[2]
K8S: Final = ROOT / "k8s"
STAGES: Final = ("dev", "prod")
OLDEST: Final = 5  # kustomize

Object = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """What `kubectl apply` would be given."""

    objects: Sequence[Object]

    def kind(self, kind: str) -> dict[str, Object]:
        """The objects of a kind, by name."""
        found = [each for each in self.objects if each["kind"] == kind]
        by_name = {each["metadata"]["name"]: each for each in found}
        assert len(by_name) == len(found), f"two of {kind} have the same name"
        return by_name

    def one(self, kind: str) -> Object:
        """The only object of a kind."""
        (only,) = self.kind(kind).values()
        return only

    @property
    def pods(self) -> dict[str, Object]:
        """The pod specifications, by their owners' names."""
        owners = self.kind("Deployment") | self.kind("DaemonSet")
        return {name: owner["spec"]["template"]["spec"] for name, owner in owners.items()}

    @property
    def environment(self) -> dict[str, str]:
        """The stage's variables."""
        (found,) = [each["data"] for each in self.objects if each["metadata"]["name"].startswith("stage-")]
        return dict(found)


@cache
def render(folder: Path) -> Rendered:
    """A kustomization; skips where nothing can render it."""
    command = kustomize()
    if command is None:
        pytest.skip("takes kustomize 5, or a kubectl that holds it; neither is installed")
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Rendered([each for each in yaml.safe_load_all(done.stdout) if each])


@cache
def kustomize() -> tuple[str, ...] | None:
    """The command that renders. A kubectl that does not say which kustomize it holds, such as Debian's, is too old."""
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    if not shutil.which("kubectl"):
        return None
    version = subprocess.run(["kubectl", "version", "--client", "--output=json"], capture_output=True, check=True)
    held = json.loads(version.stdout).get("kustomizeVersion", "v0")
    return ("kubectl", "kustomize") if int(held[1:].partition(".")[0]) >= OLDEST else None


def with_components(folder: Path, stage: str, *components: str) -> Rendered:
    """A stage's workers, none of them at rest, with these components: whatever an overlay may choose."""
    to = Path(os.path.relpath(K8S.resolve(), folder.resolve()))
    kustomization = {
        "namespace": f"tandem-{stage}",
        "resources": [f"{to}/base/stage", *(f"{to}/pipelines/{name}" for name in registry.names())],
        "components": [f"{to}/components/{name}" for name in components],
        "configMapGenerator": [{"name": "stage", "envs": ["stage.env"]}],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    shutil.copy(K8S / "overlays" / stage / "stage.env", folder)
    return render(folder)


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    """Each stage in turn."""
    return str(request.param)


@pytest.fixture
def overlay(stage: str) -> Rendered:
    """What is applied in the stage."""
    return render(K8S / "overlays" / stage)


@pytest.fixture(scope="session")
def stages() -> Mapping[str, StageConfig]:
    """cdk.json, which the overlays must agree with."""
    return context.read(json.loads((ROOT / "cdk.json").read_text())["context"]["stages"], registry.names())
