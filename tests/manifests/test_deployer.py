"""The deploy role may apply every object of a release: a refusal would leave a stage between two versions."""

import re
from pathlib import Path
from typing import Any

import hcl2
import yaml

from tests.manifests.conftest import Rendered

ROOT = Path(__file__).parents[2]
# Kinds in Kubernetes' `edit` role, which is EKS's Edit policy: EKS user guide, "Review access policy permissions".
EDIT = {
    "ConfigMap",
    "Deployment",
    "DaemonSet",
    "HorizontalPodAutoscaler",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
    "ServiceAccount",
}
ROLE, BINDING = list(yaml.safe_load_all((ROOT / "k8s/base/stage/deployer.yaml").read_text()))


def group_and_plural(each: dict[str, Any]) -> tuple[str, str]:
    kind = each["kind"].lower()
    return each["apiVersion"].partition("/")[0], f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def test_the_deploy_role_may_apply_every_kind_of_a_release(overlay: Rendered) -> None:
    allowed = {
        (group, resource) for rule in ROLE["rules"] for group in rule["apiGroups"] for resource in rule["resources"]
    }
    applied = {group_and_plural(each) for each in overlay.objects if each["kind"] not in EDIT}
    assert applied <= allowed


def test_it_may_delete_every_kind_that_a_release_prunes() -> None:
    script = (ROOT / ".github/scripts/workers.sh").read_text()
    found = re.search(r"kinds=(deployments[\w,]+)$", script, re.MULTILINE)
    assert found
    assert set(found[1].split(",")) <= {group_and_plural({"kind": kind, "apiVersion": "v1"})[1] for kind in EDIT}


def test_it_cannot_grant_itself_more_permissions(overlay: Rendered, administered: Rendered) -> None:
    rights = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    assert not rights & {each["kind"] for each in overlay.objects}
    assert {"Role", "RoleBinding"} <= {each["kind"] for each in administered.objects}
    assert "rbac.authorization.k8s.io" not in str(ROLE["rules"])
    assert "*" not in str(ROLE["rules"])


def test_the_group_is_the_same_in_manifests_cdk_and_terraform() -> None:
    (subject,) = BINDING["subjects"]
    assert f'DEPLOYERS: Final = "{subject["name"]}"' in (ROOT / "cdk/runtimes/worker/stack.py").read_text()
    assert subject["name"] in str(hcl2.loads((ROOT / "k8s/terraform/locals.tf").read_text()))
