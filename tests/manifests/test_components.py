"""Secrets as files, and workers on spot instances."""

from pathlib import Path

import pytest
import yaml

from functions import settings
from functions.core import names
from tests.manifests.conftest import K8S, Object, Rendered, with_components


@pytest.fixture
def with_secrets(stage: str, tmp_path: Path) -> Rendered:
    scram = ["secrets/scram"] if stage == "prod" else []
    return with_components(tmp_path, stage, "secrets", *scram)


def test_secrets_come_as_files_that_the_worker_reads(with_secrets: Rendered) -> None:
    pod = with_secrets.pods["worker-logins"]
    (container,) = pod["containers"]
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    told = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    read = settings.read(with_secrets.environment | told | {"TANDEM_PIPELINE": "logins"})
    files = {f"file:{mount['mountPath']}/{each['secretKey']}" for each in fetched(with_secrets)}
    assert files == {read.mask_key_from, read.scram_from} - {None}
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
    assert volume["secret"]["secretName"] == with_secrets.one("ExternalSecret")["spec"]["target"]["name"]
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]  # or it could not read them


def test_secrets_are_the_stages(with_secrets: Rendered, stage: str) -> None:
    keys = {each["secretKey"]: each["remoteRef"]["key"] for each in fetched(with_secrets)}
    mask, scram = {"mask-key": names.mask_key_secret(stage)}, {"scram": names.scram_secret(stage)}
    assert keys == (mask | scram if stage == "prod" else mask)
    store = with_secrets.one("SecretStore")
    region = with_secrets.environment["AWS_REGION"]
    assert store["spec"]["provider"] == {"aws": {"service": "SecretsManager", "region": region}}
    assert with_secrets.one("ExternalSecret")["spec"]["secretStoreRef"]["name"] == store["metadata"]["name"]


def fetched(rendered: Rendered) -> list[Object]:
    found: list[Object] = rendered.one("ExternalSecret")["spec"]["data"]
    return found


def test_spot_workers_go_where_only_they_may(tmp_path: Path) -> None:
    pod = with_components(tmp_path, "dev", "spot").pods["worker-logins"]
    pool = yaml.safe_load((K8S / "components/spot/nodepool.yaml").read_text())
    assert pod["nodeSelector"] == {"karpenter.sh/nodepool": pool["metadata"]["name"]}
    (taint,), (toleration,) = pool["spec"]["template"]["spec"]["taints"], pod["tolerations"]
    assert (toleration["key"], toleration["effect"], toleration["operator"]) == (taint["key"], "NoSchedule", "Exists")
    allowed = {each["key"]: each["values"] for each in pool["spec"]["template"]["spec"]["requirements"]}
    assert set(allowed["karpenter.sh/capacity-type"]) == {"spot", "on-demand"}
    assert set(allowed["kubernetes.io/arch"]) == {"arm64", "amd64"}  # what the image is built for
