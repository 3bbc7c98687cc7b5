"""Secrets as files, and workers on nodes of their own."""

import re
from pathlib import Path

import pytest

from cdk import names
from functions import registry, settings
from functions.core.names import kafka_user
from tests.docs.prices import PRICES
from tests.manifests.conftest import K8S, ROOT, STAGES, Object, Rendered, render, with_components, with_pipelines

IMAGE_PLATFORMS = {"arm64", "amd64"}


@pytest.fixture(params=["iam", "scram"])
def auth(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def with_secrets(stage: str, auth: str, tmp_path: Path) -> Rendered:
    return with_components(tmp_path, stage, "secrets", *(["secrets/scram"] if auth == "scram" else []))


def test_the_worker_reads_secrets_from_files(with_secrets: Rendered, auth: str) -> None:
    pod = with_secrets.pods["worker-logins"]
    (container,) = pod["containers"]
    variables = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    read = settings.read(with_secrets.environment | variables | {"TANDEM_PIPELINE": "logins"})
    assert mounted(with_secrets, pod) == {read.mask_key_from, read.scram_from} - {None}
    assert (read.scram_from is None) == (auth == "iam")
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]  # otherwise it could not read them


def mounted(rendered: Rendered, pod: Object) -> set[str]:
    """Return the locations of all files that External Secrets puts into a worker."""
    secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"]}
    targets = {each["spec"]["target"]["name"]: each["spec"]["data"] for each in external(rendered).values()}
    (container,) = pod["containers"]
    return {
        f"file:{mount['mountPath']}/{entry['secretKey']}"
        for mount in container["volumeMounts"]
        for entry in targets[secrets[mount["name"]]]
    }


def external(rendered: Rendered) -> dict[str, Object]:
    return rendered.kind("ExternalSecret")


def keys(secret: Object) -> list[str]:
    return [entry["remoteRef"]["key"] for entry in secret["spec"]["data"]]


def test_secrets_belong_to_the_stage_and_the_kafka_user_to_the_pipeline(
    with_secrets: Rendered, stage: str, auth: str
) -> None:
    found = {name: keys(secret) for name, secret in external(with_secrets).items()}
    users = {
        names.worker(name): [names.scram_secret(kafka_user(stage, name))]
        for name in registry.names()
        if auth == "scram"
    }
    assert found == {"worker": [names.mask_key_secret(stage)], **users}
    store = with_secrets.one("SecretStore")
    region = with_secrets.environment["AWS_REGION"]
    assert store["spec"]["provider"] == {"aws": {"service": "SecretsManager", "region": region}}
    stores = {secret["spec"]["secretStoreRef"]["name"] for secret in external(with_secrets).values()}
    assert stores == {store["metadata"]["name"]}


def test_each_worker_mounts_the_kafka_user_of_its_pipeline_alone(tmp_path: Path) -> None:
    rendered = with_pipelines(tmp_path, "dev", ["logins", "user-events"], "secrets", "secrets/scram")
    for name in ("logins", "user-events"):
        volumes = {each["secret"]["secretName"] for each in rendered.pods[names.worker(name)]["volumes"]}
        assert volumes == {"worker", names.worker(name)}
        assert keys(external(rendered)[names.worker(name)]) == [names.scram_secret(kafka_user("dev", name))]


def test_without_scram_there_is_no_object_for_a_kafka_user(overlay: Rendered) -> None:
    assert not [each for each in overlay.kind("ConfigMap") if not each.startswith("stage-")]


@pytest.mark.parametrize(
    ("component", "capacity", "architectures"),
    [("spot", {"spot", "on-demand"}, {"arm64", "amd64"}), ("on-demand", {"on-demand"}, {"arm64"})],
)
def test_workers_run_only_on_nodes_of_their_pool(
    component: str, capacity: set[str], architectures: set[str], tmp_path: Path
) -> None:
    pod = with_components(tmp_path, "dev", component).pods["worker-logins"]
    pool = render(K8S / "cluster/auto-mode").kind("NodePool")[pod["nodeSelector"]["karpenter.sh/nodepool"]]
    (taint,), (toleration,) = pool["spec"]["template"]["spec"]["taints"], pod["tolerations"]
    assert (toleration["key"], toleration["effect"], toleration["operator"]) == (taint["key"], "NoSchedule", "Exists")
    allowed = {each["key"]: set(each["values"]) for each in pool["spec"]["template"]["spec"]["requirements"]}
    assert allowed["karpenter.sh/capacity-type"] == capacity
    assert allowed["kubernetes.io/arch"] == architectures <= IMAGE_PLATFORMS
    assert pool["spec"]["disruption"]["consolidationPolicy"] == "WhenEmpty"  # a moved worker is a rebalance


@pytest.mark.parametrize("stage", STAGES)
def test_an_overlay_of_auto_mode_uses_one_of_our_pools(stage: str) -> None:
    """The general-purpose pool has only x86-64 instances, but the costs in docs/deployment.md are those of arm64."""
    pods = render(K8S / "overlays" / stage).pods
    pools = render(K8S / "cluster/auto-mode").kind("NodePool")
    assert {pod["nodeSelector"]["karpenter.sh/nodepool"] for pod in pods.values()} <= set(pools)
    (node,) = [name for name in PRICES if name.startswith("EKS Auto Mode node")]
    assert re.search(r"\(\w+g\.", node), "the priced instance is not arm64"


def test_image_platforms_match_the_makefile() -> None:
    found = re.search(r"^PLATFORMS \?= (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    assert {each.removeprefix("linux/") for each in found[1].split(",")} == IMAGE_PLATFORMS
