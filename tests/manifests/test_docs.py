"""docs/eks.md names only existing files, components and objects."""

import re

import pytest

from cdk import names
from tests.manifests.conftest import K8S, ROOT, render
from tests.manifests.renew import EXTERNAL_SECRETS, KEDA

TEXT = (ROOT / "docs" / "eks.md").read_text()
COMPONENTS = sorted(
    str(path.parent.relative_to(K8S / "components")) for path in (K8S / "components").rglob("kustomization.yaml")
)


def test_every_named_file_exists() -> None:
    named = set(re.findall(r"\bk8s/[\w./-]*\w", TEXT))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_is_documented(component: str) -> None:
    assert f"`{component}`" in TEXT or f"k8s/components/{component}/" in TEXT


def test_every_helm_command_installs_one_version() -> None:
    commands = re.findall(r"^helm (.+?[^\\])$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(commands) == 3
    assert all(re.search(r"--version \d+\.\d+\.\d+\b", command) for command in commands)


@pytest.mark.parametrize(("chart", "module"), [("keda", KEDA), ("external-secrets", EXTERNAL_SECRETS)])
def test_the_installed_operator_is_the_one_of_the_schemas(chart: str, module: str) -> None:
    """Both projects give a chart the version of its operator."""
    (version,) = re.findall(rf"^helm upgrade --install {chart} .*--version (\S+)", TEXT, re.MULTILINE)
    assert module.endswith(f"@v{version}")


def test_the_metrics_server_is_installed_before_an_autoscaler_is_applied() -> None:
    for page in ("eks.md", "deployment.md"):
        text = (ROOT / "docs" / page).read_text()
        assert 0 < text.index("--addon-name metrics-server") < text.index("kubectl apply -k k8s/overlays/")


def test_the_namespace_is_applied_before_the_difference_is_shown() -> None:
    for page in ("eks.md", "deployment.md"):
        text = (ROOT / "docs" / page).read_text()
        stage = re.search(r"kubectl apply -k k8s/overlays/\w+/stage$", text, re.MULTILINE)
        difference = re.search(r"kubectl diff -k k8s/overlays/\w+$", text, re.MULTILINE)
        assert stage
        assert difference
        assert stage.start() < difference.start()


def test_every_named_object_exists() -> None:
    deployments = render(K8S / "overlays" / "prod").kind("Deployment")
    assert set(re.findall(r"deploy(?:ment)?/(\S+)", TEXT)) <= set(deployments)
    assert set(re.findall(r"-n (tandem-prod|tandem-dev)\b", TEXT)) == {names.namespace("prod")}
