"""docs/eks.md speaks of files, components and objects that are there."""

import re

import pytest

from functions.core import names
from tests.manifests.conftest import K8S, ROOT, render

TEXT = (ROOT / "docs" / "eks.md").read_text()
COMPONENTS = sorted(
    str(path.parent.relative_to(K8S / "components")) for path in (K8S / "components").rglob("kustomization.yaml")
)


def test_every_file_is_there() -> None:
    told = set(re.findall(r"\bk8s/[\w./-]*\w", TEXT))
    assert told
    assert [path for path in sorted(told) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_is_explained(component: str) -> None:
    assert f"`{component}`" in TEXT or f"k8s/components/{component}/" in TEXT


def test_every_object_is_there() -> None:
    deployments = render(K8S / "overlays" / "prod").kind("Deployment")
    assert set(re.findall(r"deploy(?:ment)?/(\S+)", TEXT)) <= set(deployments)
    assert set(re.findall(r"-n (tandem-prod|tandem-dev)\b", TEXT)) == {names.namespace("prod")}
