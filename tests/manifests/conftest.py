"""The manifests as kustomize renders them, rendered once per overlay and test process."""

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
MIN_KUSTOMIZE_MAJOR: Final = 5
VPC_RANGE: Final = "10.64.0.0/18"  # of `with_components`: no overlay has it
NOT_APPLIED: Final = {"config.kubernetes.io/local-config": "true"}

Object = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """The objects that `kubectl apply` would receive."""

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
        """The pod specifications, by the names of their owners."""
        owners = self.kind("Deployment") | self.kind("DaemonSet")
        return {name: owner["spec"]["template"]["spec"] for name, owner in owners.items()}

    @property
    def environment(self) -> dict[str, str]:
        """The stage's variables."""
        (found,) = [each["data"] for each in self.objects if each["metadata"]["name"].startswith("stage-")]
        return dict(found)


@cache
def render(folder: Path) -> Rendered:
    """Render a kustomization. Skips the test if kustomize is missing."""
    command = kustomize()
    if command is None:
        pytest.skip("needs kustomize 5, or a kubectl that includes it; neither is installed")
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Rendered([each for each in yaml.safe_load_all(done.stdout) if each])


@cache
def kustomize() -> tuple[str, ...] | None:
    """The command that renders. A kubectl that does not report its kustomize version, such as Debian's, is too old."""
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    if not shutil.which("kubectl"):
        return None
    version = subprocess.run(["kubectl", "version", "--client", "--output=json"], capture_output=True, check=True)
    held = json.loads(version.stdout).get("kustomizeVersion", "v0")
    return ("kubectl", "kustomize") if int(held[1:].partition(".")[0]) >= MIN_KUSTOMIZE_MAJOR else None


def with_components(folder: Path, stage: str, *components: str) -> Rendered:
    """A stage's workers, all of them enabled, with these components."""
    to = Path(os.path.relpath(K8S.resolve(), folder.resolve()))
    return _with([f"{to}/pipelines/{name}" for name in registry.names()], to, folder, stage, *components)


def with_pipelines(folder: Path, stage: str, pipelines: Sequence[str], *components: str) -> Rendered:
    """The workers of pipelines of these names, made like those of `logins`, with these components."""
    to = Path(os.path.relpath(K8S.resolve(), folder.resolve()))
    text = (K8S / "pipelines/logins/kustomization.yaml").read_text().replace("../../base", f"../{to}/base")
    for name in pipelines:
        (folder / name).mkdir()
        (folder / name / "kustomization.yaml").write_text(text.replace("logins", name))
    return _with(pipelines, to, folder, stage, *components)


def _with(resources: Sequence[str], to: Path, folder: Path, stage: str, *components: str) -> Rendered:
    kustomization = {
        "namespace": f"tandem-{stage}",
        "resources": [*resources],
        "components": [f"{to}/components/{name}" for name in ("network", *components)],
        "configMapGenerator": [
            {"name": "stage", "envs": ["stage.env"]},
            {"name": "network", "literals": [f"vpc-range={VPC_RANGE}"], "options": {"annotations": NOT_APPLIED}},
        ],
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
    """The stage's rendered overlay: what a release applies."""
    return render(K8S / "overlays" / stage)


@pytest.fixture
def administered(stage: str) -> Rendered:
    """What an administrator applies before a stage's first release."""
    return render(K8S / "overlays" / stage / "stage")


@pytest.fixture(scope="session")
def stages() -> Mapping[str, StageConfig]:
    """The stages of cdk.json, which the overlays must match."""
    return context.read(json.loads((ROOT / "cdk.json").read_text())["context"]["stages"], registry.names())
