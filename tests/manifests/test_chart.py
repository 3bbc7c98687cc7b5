"""The Helm chart renders to the same objects as the base."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdk import names
from functions import registry
from tests.docs.pages import page
from tests.manifests.conftest import K8S, VPC_RANGE, Rendered, with_components

CHART = K8S / "chart"
DIGEST = "111122223333.dkr.ecr.us-east-1.amazonaws.com/tandem-prod@sha256:" + "a" * 64
HASHED = re.compile(r"\bstage-[\w-]*[a-z0-9]{10}\b")
PATCH = next(block.code for block in page("docs/custom-sinks.md").blocks if block.language == "yaml")
VARIANTS = [
    ([], {}),
    (["rest"], {"resting": True}),
    (["on-demand"], {"nodePool": "on-demand"}),
    (["spot"], {"nodePool": "spot"}),
]


@pytest.fixture(params=registry.names())
def values(stage: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    lines = (K8S / "overlays" / stage / "stage.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines)
    of_pipeline = {"pipeline": request.param, "topic": registry.load(request.param).topic}
    return of_pipeline | {"image": DIGEST, "vpcRange": VPC_RANGE, "stage": variables}


def template(folder: Path, stage: str, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Render the chart. Skips the test if Helm is missing."""
    if shutil.which("helm") is None:
        pytest.skip("needs Helm 3")
    given = folder / "values.yaml"
    given.write_text(yaml.safe_dump(values))
    command: list[str | Path] = [
        "helm",
        "template",
        "worker",
        CHART,
        "--namespace",
        names.namespace(stage),
        "--values",
        given,
    ]
    return subprocess.run(
        [*command, "--kube-version", "1.35.0"], capture_output=True, text=True, check=False, timeout=60
    )


def chart(folder: Path, stage: str, values: dict[str, Any]) -> Rendered:
    done = template(folder, stage, values)
    assert done.returncode == 0, done.stderr
    return Rendered([each for each in yaml.safe_load_all(done.stdout) if each])


def comparable(rendered: Rendered, pipeline: str) -> dict[tuple[str, str], object]:
    """One pipeline's objects by kind and name, without the hashes of ConfigMaps, the namespace and the image."""
    objects = [each for each in rendered.objects if names.worker(pipeline) == each["metadata"]["name"]]
    objects += rendered.kind("ConfigMap").values()
    text = HASHED.sub("stage-hash", yaml.safe_dump_all(objects)).replace(f"namespace: {namespace(rendered)}\n", "\n")
    text = re.sub(r"image: .+", "image: tandem", text)
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}


def namespace(rendered: Rendered) -> str:
    return str({each["metadata"].get("namespace", "none") for each in rendered.objects}.pop())


def test_it_opens_the_ports_of_sinks_and_registries(stage: str, values: dict[str, Any], tmp_path: Path) -> None:
    """As the patch in docs/custom-sinks.md does."""
    before, after = (chart(tmp_path, stage, values | {"egressPorts": ports}) for ports in ([], [5432]))
    *same, added = after.one("NetworkPolicy")["spec"]["egress"]
    assert same == before.one("NetworkPolicy")["spec"]["egress"]
    (patch,) = yaml.safe_load(PATCH)["patches"]
    assert yaml.safe_load(patch["patch"]) == [{"op": "add", "path": "/spec/egress/-", "value": added}]


@pytest.mark.parametrize(("components", "changed"), VARIANTS, ids=str)
def test_it_renders_to_the_objects_of_the_base(
    components: list[str], changed: dict[str, Any], stage: str, values: dict[str, Any], tmp_path: Path
) -> None:
    ours = comparable(chart(tmp_path, stage, values | changed), values["pipeline"])
    assert ours == comparable(with_components(tmp_path, stage, *components), values["pipeline"])
    assert {kind for kind, _ in ours} == {
        "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service",
        "ServiceAccount",
    }  # fmt: skip


def test_a_changed_value_of_the_stage_starts_a_rolling_update(
    stage: str, values: dict[str, Any], tmp_path: Path
) -> None:
    before = chart(tmp_path, stage, values)
    after = chart(tmp_path, stage, values | {"stage": values["stage"] | {"TANDEM_DRAIN_SECONDS": "20"}})
    assert before.pods != after.pods
    (config,) = after.kind("ConfigMap")
    assert after.pods[names.worker(values["pipeline"])]["containers"][0]["envFrom"] == [
        {"configMapRef": {"name": config}}
    ]
    assert after.pods[names.worker(values["pipeline"])]["containers"][0]["image"] == DIGEST


@pytest.mark.parametrize(
    "wrong",
    [{"pipeline": ""}, {"image": "tandem:latest"}, {"stage": {}}, {"nodePool": "general"}, {"replicas": 3}],
    ids=str,
)
def test_a_wrong_value_is_refused(wrong: dict[str, Any], values: dict[str, Any], tmp_path: Path) -> None:
    refused = template(tmp_path, "prod", values | wrong)
    assert refused.returncode != 0
    assert next(iter(wrong)) in refused.stderr


def test_the_charts_version_is_tandems() -> None:
    (version,) = re.findall(r'^version = "(.+)"', (K8S.parent / "pyproject.toml").read_text(), re.MULTILINE)
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["version"] == version
