"""A real API server accepts what the docs apply, in the docs' order and from the docs' users.

It needs `etcd` and `kube-apiserver`, for example from controller-runtime's setup-envtest.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdk import names
from tests.manifests.api_server import ADMIN, DEPLOYER, ApiServer, api_server, binary
from tests.manifests.conftest import K8S, ROOT, STAGES, kustomize, render
from tests.manifests.test_schemas import SCHEMAS

CUSTOM = re.compile(r"(?P<group>.+\..+)-(?P<version>v\w+)-(?P<kind>\w+)")
CLUSTER_SCOPED = {"NodePool"}


def definition(schema: str) -> dict[str, Any] | None:
    """A custom resource's definition that accepts any field. The other tests check the fields."""
    found = CUSTOM.fullmatch(schema)
    if found is None:
        return None
    plural = found["kind"].lower() + "s"
    plural = plural.replace("ys", "ies") if plural.endswith("ys") else plural
    accepting = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{found['group']}"},
        "spec": {
            "group": found["group"],
            "names": {"kind": found["kind"], "plural": plural},
            "scope": "Cluster" if found["kind"] in CLUSTER_SCOPED else "Namespaced",
            "versions": [
                {"name": found["version"], "served": True, "storage": True, "schema": {"openAPIV3Schema": accepting}}
            ],
        },
    }


def edit_policy(stage: str) -> list[dict[str, Any]]:
    """EKS's Edit policy is Kubernetes' role `edit`: EKS user guide, "Review access policy permissions".

    A controller, which does not run here, would collect that role from these two.
    """
    group = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": f"eks-{part}", "namespace": names.namespace(stage)},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": f"system:aggregate-to-{part}"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": DEPLOYER}],
        }
        for part in ("edit", "view")
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A cluster as an administrator leaves it before the first release of both stages."""
    etcd, kube_apiserver = binary("etcd"), binary("kube-apiserver")
    if etcd is None or kube_apiserver is None or kustomize() is None:
        pytest.skip("needs etcd and kube-apiserver in KUBEBUILDER_ASSETS or on the PATH, and kubectl")
    with api_server(tmp_path_factory.mktemp("api"), etcd, kube_apiserver) as started:
        started.create(*filter(None, map(definition, SCHEMAS)))
        started.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}})
        wait = started.kubectl(ADMIN, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        assert wait.returncode == 0, wait.stderr
        started.apply(ADMIN, K8S / "cluster/auto-mode")
        started.apply(ADMIN, K8S / "cluster/monitoring")
        for stage in STAGES:
            started.apply(ADMIN, K8S / "overlays" / stage / "stage")
            started.create(*edit_policy(stage))
        yield started


@pytest.mark.parametrize("stage", STAGES)
def test_a_first_release_is_shown_and_applied_by_the_deploy_role(server: ApiServer, stage: str) -> None:
    overlay = K8S / "overlays" / stage
    first = server.kubectl(DEPLOYER, "diff", "--kustomize", overlay)
    assert first.returncode == 1, first.stderr  # there are differences, and no error
    server.apply(DEPLOYER, overlay)
    again = server.kubectl(DEPLOYER, "diff", "--kustomize", overlay)
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.parametrize("stage", STAGES)
def test_a_pod_of_a_worker_is_admitted(server: ApiServer, stage: str) -> None:
    for name, pod in render(K8S / "overlays" / stage).pods.items():
        tried = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": names.namespace(stage)}}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": tried["metadata"]}
        server.create(account)
        done = server.kubectl(
            ADMIN, "create", "--dry-run=server", "--filename", "-", given=yaml.safe_dump(tried | {"spec": pod})
        )
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr


@pytest.mark.parametrize(
    "folder", ["cluster/priority", "cluster/auto-mode", "cluster/monitoring", "overlays/prod/stage"]
)
def test_the_deploy_role_cannot_apply_what_is_an_administrators(server: ApiServer, folder: str) -> None:
    changed = server.kubectl(DEPLOYER, "delete", "--dry-run=server", "--kustomize", K8S / folder)
    assert changed.returncode != 0
    assert "Forbidden" in changed.stderr or "forbidden" in changed.stderr


def test_the_deploy_role_may_delete_a_pipeline_that_left(server: ApiServer) -> None:
    script = (ROOT / ".github/scripts/workers.sh").read_text()
    found = re.search(r"kinds=(deployments[\w,]+)$", script, re.MULTILINE)
    assert found
    groups = server.kubectl(DEPLOYER, "api-resources", "--api-group", "keda.sh", "--output", "name")
    assert groups.stdout.startswith("scaledobjects")
    server.apply(DEPLOYER, K8S / "overlays/prod")
    for dry in (["--dry-run=server"], []):
        done = server.kubectl(
            DEPLOYER, "delete", f"scaledobjects,{found[1]}", "--namespace", names.namespace("prod"),
            "--selector", "tandem/pipeline=logins", *dry,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 6  # all but the ConfigMap and KEDA's authentication
    server.apply(DEPLOYER, K8S / "overlays/prod")


# Stand-ins for what is not here: AWS, nodes that run pods, and a kustomize of its own.
STAND_INS = {
    "aws": "case $* in *worker-env*) cat {env} ;; *) echo tandem-prod ;; esac",
    "kustomize": """[ "$1" = edit ] || exec kubectl kustomize "$2" """,
    "kubectl": """case $* in *"rollout st"* | *port-fo*) ;; *) exec {kubectl} --context deployer "$@" ;; esac""",
    "curl": "exit 0",
}


def test_the_release_script_works_on_a_server_as_the_deploy_role(server: ApiServer, tmp_path: Path) -> None:
    """Two things that only a server shows: what the script reads of its objects, and what the role may do."""
    shutil.copytree(K8S, tmp_path / "k8s")
    (tmp_path / "bin").mkdir()
    known = {"env": K8S / "overlays/prod/stage.env", "kubectl": shutil.which("kubectl")}
    for name, code in STAND_INS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{code.format(**known)}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    left = render(K8S / "overlays/prod").kind("Deployment")["worker-logins"]
    server.create(yaml.safe_load(yaml.safe_dump(left).replace("logins", "orders")))
    environment = os.environ | {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "KUBECONFIG": str(server.folder / "kubeconfig"),
    }
    done = subprocess.run(
        [ROOT / ".github/scripts/workers.sh", "prod", "sha256:" + "a" * 64],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = server.kubectl(ADMIN, "get", "deployments", "--namespace", names.namespace("prod"), "--output", "yaml")
    replicas = {each["metadata"]["name"]: each["spec"]["replicas"] for each in yaml.safe_load(found.stdout)["items"]}
    assert replicas == {"worker-logins": 3}  # raised from 1, and worker-orders is deleted


def test_deleting_one_stage_leaves_the_other_and_the_cluster(server: ApiServer) -> None:
    for stage in STAGES:
        server.apply(DEPLOYER, K8S / "overlays" / stage)
    for folder in ("overlays/dev", "overlays/dev/stage"):
        deleted = server.kubectl(ADMIN, "delete", "--ignore-not-found", "--wait=false", "--kustomize", K8S / folder)
        assert deleted.returncode == 0, deleted.stderr
    for folder in ("overlays/prod", "overlays/prod/stage", "cluster/auto-mode", "cluster/monitoring"):
        left = server.kubectl(ADMIN, "diff", "--kustomize", K8S / folder)
        assert (left.returncode, left.stdout) == (0, ""), folder


def test_kubectl_diff_fails_without_the_stages_namespace(server: ApiServer, tmp_path: Path) -> None:
    """Why the docs apply `stage/` first."""
    overlay = (K8S / "overlays/dev/kustomization.yaml").read_text()
    assert "namespace: tandem-dev" in overlay
    text = yaml.safe_dump_all(render(K8S / "overlays/dev").objects).replace("tandem-dev\n", "tandem-new\n")
    (tmp_path / "objects.yaml").write_text(text)
    done = server.kubectl(ADMIN, "diff", "--filename", tmp_path / "objects.yaml")
    assert done.returncode > 1
    assert 'namespaces "tandem-new" not found' in done.stderr
