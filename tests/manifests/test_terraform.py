"""k8s/terraform: pinned, described, formatted. Its decisions run without a provider, its plans where one is at hand."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

from functions.core import names

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "k8s/terraform"
EXAMPLES = sorted((FOLDER / "examples").glob("*/main.tf"))
ADMIN = "arn:aws:iam::111122223333:role/platform"
FREE = {"deletion_protection", "tags"}  # any value of their type will do

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform is not installed")


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["terraform", f"-chdir={folder}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def blocks(kind: str, *paths: Path) -> dict[str, dict[str, Any]]:
    """By name, the blocks such as `variable "stage" {...}` of some files."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths or tuple(FOLDER.glob("*.tf")):
        for block in hcl2.loads(path.read_text()).get(kind, []):
            found |= {name.strip('"'): body for name, body in block.items()}
    return found


def decided(folder: Path, **variables: object) -> subprocess.CompletedProcess[str]:
    """Plan what follows from the variables alone."""
    for name in ("variables.tf", "locals.tf"):
        shutil.copy(FOLDER / name, folder)
    told = ("access", "addons", "parameters", "namespace", "service_accounts", "cluster_name")
    (folder / "told.tf").write_text("".join(f'output "{name}" {{\n  value = local.{name}\n}}\n' for name in told))
    (folder / "given.auto.tfvars.json").write_text(json.dumps({"stage": "dev", "admins": [ADMIN]} | variables))
    return terraform(folder, "plan", "-no-color", "-input=false", "-out=plan")


def outputs(folder: Path, **variables: object) -> dict[str, Any]:
    planned = decided(folder, **variables)
    assert planned.returncode == 0, planned.stderr
    shown = json.loads(terraform(folder, "show", "-json", "plan").stdout)
    return {name: output["value"] for name, output in shown["planned_values"]["outputs"].items()}


def test_modules_and_providers_are_pinned_exactly() -> None:
    (settings,) = hcl2.loads((FOLDER / "versions.tf").read_text())["terraform"]
    (providers,) = settings["required_providers"]
    pins = [body["version"] for name, body in providers.items() if name != "__is_block__"]
    pins += [body["version"] for body in blocks("module").values()]
    assert len(pins) == 2
    assert all(re.fullmatch(r'"\d+\.\d+\.\d+"', pin) for pin in pins)


def test_every_variable_and_output_says_what_it_is() -> None:
    for name, body in (blocks("variable") | blocks("output")).items():
        assert body["description"].strip('"').endswith("."), name
    assert {name for name, body in blocks("variable").items() if "validation" not in body} == FREE


def test_errors_begin_with_the_variable_and_say_what_it_takes() -> None:
    for name, body in blocks("variable").items():
        for validation in body.get("validation", []):
            assert re.match(rf'"{name}\b.*takes ', validation["error_message"]), name


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_give_what_is_needed_and_nothing_else(path: Path) -> None:
    variables = blocks("variable")
    given = set(blocks("module", path)["tandem"]) - {"source", "__is_block__"}
    assert given <= set(variables)
    assert {name for name, body in variables.items() if "default" not in body} <= given
    asked = re.findall(r"module\.tandem\.(\w+)", path.read_text())
    assert asked
    assert set(asked) <= set(blocks("output"))


@needs_terraform
def test_it_is_formatted() -> None:
    assert terraform(FOLDER, "fmt", "-check", "-recursive").stdout == ""


@needs_terraform
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_values_of_the_examples_are_taken(path: Path, tmp_path: Path) -> None:
    (tmp_path / "module").mkdir()
    for name in ("variables.tf", "locals.tf"):
        shutil.copy(FOLDER / name, tmp_path / "module")
    call = re.search(r'module "tandem" \{.*?\n\}\n', path.read_text(), re.DOTALL)
    assert call
    (tmp_path / "main.tf").write_text(call[0].replace('"../.."', '"./module"'))
    assert terraform(tmp_path, "init", "-input=false").returncode == 0
    planned = terraform(tmp_path, "plan", "-input=false", "-no-color")
    assert planned.returncode == 0, planned.stderr


@needs_terraform
def test_names_are_those_of_the_code(tmp_path: Path) -> None:
    told = outputs(tmp_path, pipelines=["logins"])
    assert told["namespace"] == names.namespace("dev")
    assert told["cluster_name"] == names.cluster("dev")
    assert told["service_accounts"] == {"logins": names.worker("logins")}
    assert told["parameters"] == {name: names.parameter("dev", name) for name in told["parameters"]}
    assert set(told["parameters"]) == {
        "vpc-id", "private-subnet-ids", "brokers-security-group-id", "kafka-port", "worker-role-arn/logins",
        "keda-role-arn",
    }  # fmt: skip
    assert not {name for name in outputs(tmp_path)["parameters"] if "role-arn" in name}  # not there before the roles


@needs_terraform
def test_auto_mode_brings_its_own_add_ons_and_a_node_group_does_not(tmp_path: Path) -> None:
    assert set(outputs(tmp_path)["addons"]) == {"metrics-server"}
    addons = outputs(tmp_path, compute="node-group")["addons"]
    assert set(addons) == {"metrics-server", "coredns", "kube-proxy", "eks-pod-identity-agent", "vpc-cni"}
    assert json.loads(addons["vpc-cni"]["configuration_values"]) == {"enableNetworkPolicy": "true"}


@needs_terraform
def test_only_admins_and_the_deploy_role_have_access(tmp_path: Path) -> None:
    assert set(outputs(tmp_path)["access"]) == {"admin-platform"}
    deploy = "arn:aws-us-gov:iam::111122223333:role/tandem-dev-deploy"
    access = outputs(tmp_path, deploy_role_arn=deploy)["access"]
    assert {name: entry["principal_arn"] for name, entry in access.items()} == {
        "admin-platform": ADMIN,
        "deploy": deploy,
    }
    policies = {name: entry["policy_associations"]["tandem"] for name, entry in access.items()}
    assert (
        policies["admin-platform"]["policy_arn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    )
    assert policies["deploy"] == {
        "policy_arn": "arn:aws-us-gov:eks::aws:cluster-access-policy/AmazonEKSEditPolicy",
        "access_scope": {"type": "namespace", "namespaces": ["tandem-dev"]},
    }


@needs_terraform
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "Production"),
        ("stage", "s"),
        ("pipelines", ["Logins"]),
        ("cluster_name", "-x"),
        ("kubernetes_version", "latest"),
        ("compute", "fargate"),
        ("node_group", {"least": 1}),
        ("node_group", {"least": 5, "most": 4}),
        ("node_group", {"ami_type": "AL2_x86_64"}),
        ("node_group", {"instance_types": []}),
        ("admins", []),
        ("admins", ["platform"]),
        ("deploy_role_arn", "tandem-dev-deploy"),
        ("public_access_cidrs", ["0.0.0.0/0"]),
        ("public_access_cidrs", ["office"]),
        ("log_days", 8),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object, tmp_path: Path) -> None:
    refused = decided(tmp_path, **{name: value})
    assert refused.returncode == 1
    told = " ".join(refused.stderr.split())
    assert re.search(rf"{name}[\w.]*: .*takes", told), told


@needs_terraform
def test_plans_against_mocked_providers(tmp_path: Path) -> None:
    """`terraform test`, which needs the public module and the providers, but no account."""
    folder = tmp_path / "terraform"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns(".terraform*"))
    fetched = terraform(folder, "init", "-backend=false", "-input=false", "-no-color")
    if fetched.returncode and "registry.terraform.io" in fetched.stderr:
        pytest.skip("the Terraform registry is out of reach")
    assert fetched.returncode == 0, fetched.stderr
    tested = terraform(folder, "test", "-no-color")
    assert tested.returncode == 0, tested.stdout + tested.stderr
