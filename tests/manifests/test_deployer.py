"""What a release applies, and what it may: a refusal half-way would leave a stage between two versions."""

import re
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from tests.manifests.conftest import render

ROOT = Path(__file__).parents[2]
# Of Kubernetes' own `edit` role, which is EKS's Edit policy: Amazon EKS user guide, "Review access policy permissions".
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


def left_out() -> set[str]:
    script = (ROOT / ".github/scripts/workers.sh").read_text()
    found = re.search(r"for kind in ([\w ]+); do", script)
    assert found
    return set(found[1].split())


def group_and_plural(each: dict[str, Any]) -> tuple[str, str]:
    kind = each["kind"].lower()
    return each["apiVersion"].partition("/")[0], f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_deploy_role_may_apply_all_that_is_not_left_out(stage: str) -> None:
    allowed = {
        (group, resource) for rule in ROLE["rules"] for group in rule["apiGroups"] for resource in rule["resources"]
    }
    applied = [each for each in render(ROOT / "k8s/overlays" / stage).objects if each["kind"] not in left_out() | EDIT]
    assert [group_and_plural(each) for each in applied if group_and_plural(each) not in allowed] == []


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_what_lies_in_no_namespace_is_left_out(stage: str) -> None:
    kinds = {
        each["kind"] for each in render(ROOT / "k8s/overlays" / stage).objects if "namespace" not in each["metadata"]
    }
    assert kinds <= left_out()


def test_it_cannot_give_itself_more() -> None:
    assert {"Role", "RoleBinding"} <= left_out()
    assert "rbac.authorization.k8s.io" not in str(ROLE["rules"])
    assert "*" not in str(ROLE["rules"])


def test_the_group_is_the_same_in_manifests_cdk_and_terraform() -> None:
    (subject,) = BINDING["subjects"]
    assert f'DEPLOYERS: Final = "{subject["name"]}"' in (ROOT / "cdk/stacks/steady.py").read_text()
    assert subject["name"] in str(hcl2.loads((ROOT / "k8s/terraform/locals.tf").read_text()))
