"""Secrets as files, and workers on spot instances."""

from pathlib import Path

from functions import settings
from functions.core import names
from tests.manifests.conftest import Rendered, with_components


def test_secrets_come_as_files_that_the_worker_reads(stage: str, tmp_path: Path) -> None:
    rendered = with_components(tmp_path, stage, "secrets")
    pod = rendered.pods["worker-logins"]
    (container,) = pod["containers"]
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    told = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    read = settings.read(rendered.environment | told | {"TANDEM_PIPELINE": "logins"})
    files = {f"file:{mount['mountPath']}/{each['secretKey']}" for each in fetched(rendered)}
    assert files == {read.mask_key_from, read.scram_from}
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
    assert volume["secret"]["secretName"] == rendered.one("ExternalSecret")["spec"]["target"]["name"]
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]  # or it could not read them


def test_secrets_are_the_stages(stage: str, tmp_path: Path) -> None:
    rendered = with_components(tmp_path, stage, "secrets")
    assert [each["remoteRef"]["key"] for each in fetched(rendered)] == [
        names.mask_key_secret(stage),
        names.scram_secret(stage),
    ]
    store = rendered.one("SecretStore")
    assert store["spec"]["provider"] == {
        "aws": {"service": "SecretsManager", "region": rendered.environment["AWS_REGION"]}
    }
    assert rendered.one("ExternalSecret")["spec"]["secretStoreRef"]["name"] == store["metadata"]["name"]


def fetched(rendered: Rendered) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = rendered.one("ExternalSecret")["spec"]["data"]
    return found


def test_spot_workers_go_where_only_they_may(tmp_path: Path) -> None:
    rendered = with_components(tmp_path, "dev", "spot")
    pool, pod = rendered.one("NodePool"), rendered.pods["worker-logins"]
    assert pod["nodeSelector"] == {"karpenter.sh/nodepool": pool["metadata"]["name"]}
    (taint,), (toleration,) = pool["spec"]["template"]["spec"]["taints"], pod["tolerations"]
    assert (toleration["key"], toleration["effect"], toleration["operator"]) == (taint["key"], "NoSchedule", "Exists")
    allowed = {each["key"]: each["values"] for each in pool["spec"]["template"]["spec"]["requirements"]}
    assert set(allowed["karpenter.sh/capacity-type"]) == {"spot", "on-demand"}
    assert set(allowed["kubernetes.io/arch"]) == {"arm64", "amd64"}  # what the image is built for
