"""k8s/terraform is pinned, described and formatted. Its locals are evaluated without a provider."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

from cdk import names
from cdk.config import StageConfig
from tests.manifests.conftest import with_components

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "k8s/terraform"
EXAMPLES = sorted((FOLDER / "examples").glob("*/main.tf"))
ADMIN = "arn:aws:iam::111122223333:role/platform"
UNRESTRICTED = {"deletion_protection", "tags"}  # any value of their type will do

CPUS = {"large": 2, "xlarge": 4, "2xlarge": 8}  # of the M family
OF_THE_NODE = 0.5  # what the kubelet and the agents of each node request, at most

needs_terraform = pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform is not installed")


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["terraform", f"-chdir={folder}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def blocks(kind: str, *paths: Path) -> dict[str, dict[str, Any]]:
    """The blocks of a kind, such as `variable "stage" {...}`, by name."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths or tuple(FOLDER.glob("*.tf")):
        for block in hcl2.loads(path.read_text()).get(kind, []):
            found |= {name.strip('"'): body for name, body in block.items()}
    return found


def plan(folder: Path, **variables: object) -> subprocess.CompletedProcess[str]:
    """Plan the values that depend on variables alone."""
    for name in ("variables.tf", "locals.tf"):
        shutil.copy(FOLDER / name, folder)
    shown = ("access", "addons", "autoscaler", "parameters", "namespace", "service_accounts", "cluster_name")
    values = {name: f"local.{name}" for name in shown} | {"node_group": "var.node_group"}
    (folder / "shown.tf").write_text(
        "".join(f'output "{name}" {{\n  value = {value}\n}}\n' for name, value in values.items())
    )
    (folder / "given.auto.tfvars.json").write_text(json.dumps({"stage": "dev", "admins": [ADMIN]} | variables))
    return terraform(folder, "plan", "-no-color", "-input=false", "-out=plan")


def outputs(folder: Path, **variables: object) -> dict[str, Any]:
    planned = plan(folder, **variables)
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


def test_every_variable_and_output_is_described() -> None:
    for name, body in (blocks("variable") | blocks("output")).items():
        assert body["description"].strip('"').endswith("."), name
    assert {name for name, body in blocks("variable").items() if "validation" not in body} == UNRESTRICTED


def test_errors_name_the_variable_and_the_expected_value() -> None:
    for name, body in blocks("variable").items():
        for validation in body.get("validation", []):
            assert re.match(rf'"{name}\b.*expected ', validation["error_message"]), name


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_set_every_required_variable_and_no_unknown_one(path: Path) -> None:
    variables = blocks("variable")
    given = set(blocks("module", path)["tandem"]) - {"source", "__is_block__"}
    assert given <= set(variables)
    assert {name for name, body in variables.items() if "default" not in body} <= given
    outputs_used = re.findall(r"module\.tandem\.(\w+)", path.read_text())
    assert outputs_used
    assert set(outputs_used) <= set(blocks("output"))


def test_a_stages_name_is_the_one_of_cdk_json() -> None:
    (validation,) = blocks("variable")["stage"]["validation"]
    pattern = next(each.pattern for each in StageConfig.model_fields["name"].metadata if hasattr(each, "pattern"))
    assert f'regex("{pattern}", var.stage)' in validation["condition"]


@needs_terraform
def test_it_is_formatted() -> None:
    assert terraform(FOLDER, "fmt", "-check", "-recursive").stdout == ""


@needs_terraform
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_have_valid_values(path: Path, tmp_path: Path) -> None:
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
def test_names_match_the_code(tmp_path: Path) -> None:
    values = outputs(tmp_path, pipelines=["logins"])
    assert values["namespace"] == names.namespace("dev")
    assert values["cluster_name"] == names.cluster("dev")
    assert values["service_accounts"] == {"logins": names.worker("logins")}
    assert values["parameters"] == {name: names.parameter("dev", name) for name in values["parameters"]}
    assert set(values["parameters"]) == {
        "vpc-id", "private-subnet-ids", "brokers-security-group-id", "kafka-port", "worker-role-arn/logins",
        "keda-role-arn",
    }  # fmt: skip
    assert not {name for name in outputs(tmp_path)["parameters"] if "role-arn" in name}  # absent before the roles exist


@needs_terraform
def test_auto_mode_includes_its_add_ons_and_a_node_group_does_not(tmp_path: Path) -> None:
    assert set(outputs(tmp_path)["addons"]) == {"metrics-server"}
    addons = outputs(tmp_path, compute="node-group")["addons"]
    assert set(addons) == {"metrics-server", "coredns", "kube-proxy", "eks-pod-identity-agent", "vpc-cni"}
    assert json.loads(addons["vpc-cni"]["configuration_values"]) == {"enableNetworkPolicy": "true"}


@needs_terraform
def test_a_node_has_room_for_several_workers_and_the_group_for_all(tmp_path: Path) -> None:
    group = outputs(tmp_path)["node_group"]
    (tmp_path / "plain").mkdir()
    plain = with_components(tmp_path / "plain", "prod")
    cpus = float(plain.pods["worker-logins"]["containers"][0]["resources"]["requests"]["cpu"])
    most = plain.kind("HorizontalPodAutoscaler")["worker-logins"]["spec"]["maxReplicas"]
    for instance in group["instance_types"]:
        workers = (CPUS[instance.partition(".")[2]] - OF_THE_NODE) // cpus
        assert workers >= 3, instance
        assert workers * group["max_size"] >= most


@needs_terraform
def test_the_autoscaler_may_scale_only_this_cluster(tmp_path: Path) -> None:
    found = outputs(tmp_path, compute="node-group")["autoscaler"]
    read, scale = found["policy"]["Statement"]
    assert all(re.match(r"\w+:(Describe|Get)", action) for action in read["Action"])
    assert scale["Condition"] == {"StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/tandem-dev": "owned"}}
    readme = (FOLDER / "README.md").read_text()
    assert f"--namespace {found['namespace']}" in readme
    assert f"rbac.serviceAccount.name={found['service_account']}" in readme
    assert "image.tag=v1.35." in readme
    assert blocks("variable")["kubernetes_version"]["default"].strip('"') == "1.35"


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
        ("stage", "dev-x"),
        ("pipelines", ["Logins"]),
        ("cluster_name", "-x"),
        ("kubernetes_version", "latest"),
        ("compute", "fargate"),
        ("node_group", {"min_size": 1}),
        ("node_group", {"min_size": 5, "max_size": 4}),
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
    refused = plan(tmp_path, **{name: value})
    assert refused.returncode == 1
    message = " ".join(refused.stderr.split())
    assert re.search(rf"{name}[\w.]*: .*expected", message), message


@needs_terraform
def test_plans_against_mocked_providers(tmp_path: Path) -> None:
    """`terraform test`, which needs the public module and the providers, but no account."""
    folder = tmp_path / "terraform"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns(".terraform*"))
    fetched = terraform(folder, "init", "-backend=false", "-input=false", "-no-color")
    if fetched.returncode and "registry.terraform.io" in fetched.stderr:
        pytest.skip("the Terraform registry is unreachable")
    assert fetched.returncode == 0, fetched.stderr
    tested = terraform(folder, "test", "-no-color")
    assert tested.returncode == 0, tested.stdout + tested.stderr
