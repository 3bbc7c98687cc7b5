"""The template of the EKS stack."""

import json
from pathlib import Path
from typing import Any

import pytest

from cdk import names
from functions import settings
from functions.core.names import admin_user
from tests.infrastructure.conftest import ALTERNATIVES, PLACE, Templates, synthesise
from tests.infrastructure.resolve import Resolved

STAGES = pytest.mark.parametrize("stage", ["dev", "prod"])


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chosen")


@pytest.fixture(scope="module")
def chosen(assembly: Path) -> Resolved:
    """A stage with the values that cdk.json's stages omit."""
    eks = {
        "kind": "new",
        "public_access_cidrs": ["198.51.100.0/24"],
        "admins": ["arn:aws:iam::111122223333:role/admin"],
    }
    github = {"repository": "acme/tandem", "environment": "dev"}
    return Resolved(synthesise(assembly, {"dev": PLACE | {"eks": eks, "github": github}}), "dev")


@STAGES
def test_images_are_scanned_immutable_and_encrypted_and_their_signatures_stay(templates: Templates, stage: str) -> None:
    repository = templates.one(stage, "eks", "AWS::ECR::Repository")
    assert repository["RepositoryName"] == f"tandem-{stage}"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["EncryptionConfiguration"]["EncryptionType"] == "KMS"
    assert "LifecyclePolicy" not in repository  # ECR's count a signature as an image without a tag


def test_images_outlive_the_stack_of_a_protected_stage_only(templates: Templates) -> None:
    for stage, policy in (("dev", "Delete"), ("prod", "RetainExceptOnCreate")):
        (repository,) = templates.resources(stage, "eks", "AWS::ECR::Repository").values()
        assert repository["DeletionPolicy"] == policy
        assert repository["Properties"]["EmptyOnDelete"] is (stage == "dev")


@STAGES
def test_the_cluster_is_in_auto_mode_private_logged_and_encrypted(templates: Templates, stage: str) -> None:
    (cluster,) = Resolved(templates, stage).properties("eks", "AWS::EKS::Cluster")
    assert cluster["Name"] == f"tandem-{stage}"
    assert cluster["ComputeConfig"]["Enabled"] is True
    assert cluster["AccessConfig"] == {
        "AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False,
    }  # fmt: skip
    assert cluster["BootstrapSelfManagedAddons"] is False  # CreateCluster refuses anything else in Auto Mode
    assert len(cluster["Logging"]["ClusterLogging"]["EnabledTypes"]) == 5
    assert cluster["EncryptionConfig"][0]["Resources"] == ["secrets"]
    assert ":key/" in cluster["EncryptionConfig"][0]["Provider"]["KeyArn"]
    place = cluster["ResourcesVpcConfig"]
    assert (place["EndpointPrivateAccess"], place["EndpointPublicAccess"]) == (True, False)


@STAGES
def test_the_control_planes_log_group_is_created_before_the_cluster(templates: Templates, stage: str) -> None:
    ((log, made),) = templates.resources(stage, "eks", "AWS::Logs::LogGroup").items()
    assert made["Properties"]["LogGroupName"] == f"/aws/eks/tandem-{stage}/cluster"
    assert {"KmsKeyId", "RetentionInDays"} <= set(made["Properties"])
    (cluster,) = templates.resources(stage, "eks", "AWS::EKS::Cluster").values()
    assert log in cluster["DependsOn"]


@STAGES
def test_no_lambda_function_administers_the_cluster(templates: Templates, stage: str) -> None:
    assert templates.resources(stage, "eks", "AWS::Lambda::Function") == {}
    assert not any("Custom" in one["Type"] for one in templates[stage, "eks"]["Resources"].values())


@STAGES
def test_a_pod_gets_the_role_of_its_pipeline_by_its_service_account(templates: Templates, stage: str) -> None:
    resolved = Resolved(templates, stage)
    identities = resolved.properties("eks", "AWS::EKS::PodIdentityAssociation")
    assert {(each["Namespace"], each["ServiceAccount"], each["RoleArn"].rpartition("/")[2]) for each in identities} == {
        (f"tandem-{stage}", "worker-logins", f"tandem-{stage}-logins-worker"),
        ("keda", "keda-operator", f"tandem-{stage}-keda"),
    }
    for role in (role for role in resolved.properties("eks", "AWS::IAM::Role") if role.get("RoleName")):
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
        assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
        (account,) = (each for each in identities if each["RoleArn"].endswith(f"/{role['RoleName']}"))
        assert trust["Condition"]["StringEquals"] == {
            "aws:RequestTag/kubernetes-namespace": account["Namespace"],
            "aws:RequestTag/kubernetes-service-account": account["ServiceAccount"],
        }


@pytest.mark.parametrize(
    ("stage", "actions"),
    [
        ("dev", {"kafka-cluster:Connect", "kafka-cluster:DescribeTopic", "kafka-cluster:DescribeGroup"}),
        ("scram", {"secretsmanager:GetSecretValue", "kms:Decrypt"}),
    ],
)
def test_keda_may_read_the_lag_and_no_record(every: Templates, stage: str, actions: set[str]) -> None:
    roles = Resolved(every, stage).properties("eks", "AWS::IAM::Role")
    (keda,) = (role for role in roles if role.get("RoleName") == f"tandem-{stage}-keda")
    statements = keda["Policies"][0]["PolicyDocument"]["Statement"]
    assert {each["Action"] for each in statements} == actions
    assert all("*" not in str(each["Resource"]) for each in statements)


@pytest.mark.parametrize(("stage", "port"), [("prod", 9098), ("scram", 9096)])
def test_workers_reach_the_brokers_by_security_group(every: Templates, stage: str, port: int) -> None:
    rules = [one["Properties"] for one in every.resources(stage, "eks", "AWS::EC2::SecurityGroupIngress").values()]
    assert port in {rule["FromPort"] for rule in rules}
    for rule in rules:
        assert (rule["IpProtocol"], rule["FromPort"]) == ("tcp", rule["ToPort"])
        assert rule["SourceSecurityGroupId"]["Fn::GetAtt"][1] == "ClusterSecurityGroupId"
        assert not {"CidrIp", "CidrIpv6"} & set(rule)


@STAGES
def test_no_security_group_is_open_to_the_internet(templates: Templates, stage: str) -> None:
    assert "0.0.0.0/0" not in json.dumps(templates[stage, "eks"])


@STAGES
def test_the_manifests_find_what_they_need(templates: Templates, stage: str) -> None:
    resolved = Resolved(templates, stage)
    parameters = _parameters(resolved)
    assert parameters[f"/tandem/{stage}/cluster-name"] == f"tandem-{stage}"
    assert (
        parameters[f"/tandem/{stage}/repository-uri"] == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/tandem-{stage}"
    )
    assert parameters[f"/tandem/{stage}/worker-role-arn/logins"].endswith(f":role/tandem-{stage}-logins-worker")


@STAGES
def test_workers_and_functions_share_their_variables_except_those_of_a_pod(templates: Templates, stage: str) -> None:
    resolved = Resolved(templates, stage)
    worker = dict(line.split("=", 1) for line in _parameters(resolved)[f"/tandem/{stage}/worker-env"].splitlines())
    function = resolved.function["Environment"]["Variables"]
    known = {f"TANDEM_{field.upper()}" for field in settings.Settings.model_fields} | {"AWS_REGION"}
    assert set(worker) <= known
    assert worker.pop("AWS_REGION") == "us-east-1"
    assert worker.pop("TANDEM_CLOUDWATCH_SECONDS") == "60"  # a function's metrics are in its log
    assert {name: value for name, value in function.items() if name in worker} == worker
    assert set(function) - set(worker) == {"TANDEM_PIPELINE", "TANDEM_LOG_LEVEL"}
    settings.read(worker | {"TANDEM_PIPELINE": "logins", "TANDEM_BOOTSTRAP_SERVERS": "broker:9098"})


def test_one_environment_leads_each_worker_to_the_user_of_its_pipeline(every: Templates) -> None:
    """By an ARN without its six last characters, which Secrets Manager finds all the same."""
    resolved = Resolved(every, "scram")
    text = _parameters(resolved)["/tandem/scram/worker-env"]
    worker = dict(line.split("=", 1) for line in text.splitlines()) | {"TANDEM_BOOTSTRAP_SERVERS": "broker:9096"}
    read = settings.read(worker | {"TANDEM_PIPELINE": "logins"})
    whole = resolved.function["Environment"]["Variables"]["TANDEM_SCRAM_FROM"]
    assert whole == f"{read.scram_from}-000000"
    operators = read.for_operators().scram_from
    assert operators is not None
    assert operators.endswith(f":secret:{names.scram_secret(admin_user('scram'))}-000000")


def test_administrators_and_the_deploy_role_have_the_access_that_they_need(chosen: Resolved) -> None:
    admin, deployer = chosen.properties("eks", "AWS::EKS::AccessEntry")
    assert admin["PrincipalArn"] == "arn:aws:iam::111122223333:role/admin"
    assert _access(admin) == ("AmazonEKSClusterAdminPolicy", {"Type": "cluster"})
    assert deployer["PrincipalArn"] == "arn:aws:iam::123456789012:role/tandem-dev-deploy"
    assert _access(deployer) == ("AmazonEKSEditPolicy", {"Type": "namespace", "Namespaces": ["tandem-dev"]})


def test_the_deploy_role_exists_before_it_gets_access(chosen: Resolved, assembly: Path) -> None:
    (deploy,) = chosen.properties("deployrole", "AWS::IAM::Role")
    assert deploy["RoleName"] == "tandem-dev-deploy"
    stacks = json.loads((assembly / "assembly-dev" / "manifest.json").read_text())["artifacts"]
    (eks,) = (
        artifact
        for name, artifact in stacks.items()
        if name.startswith("devEks") and artifact["type"] == "aws:cloudformation:stack"
    )
    assert any(name.startswith("devDeployRole") for name in eks["dependencies"])


def test_the_api_is_public_only_if_the_stage_configures_it(chosen: Resolved) -> None:
    (cluster,) = chosen.properties("eks", "AWS::EKS::Cluster")
    assert cluster["ResourcesVpcConfig"]["EndpointPublicAccess"] is True
    assert cluster["ResourcesVpcConfig"]["PublicAccessCidrs"] == ["198.51.100.0/24"]


def test_an_existing_cluster_is_used_by_name(alternatives: Templates) -> None:
    given = Resolved(alternatives, "given")
    assert alternatives.resources("given", "eks", "AWS::EKS::Cluster") == {}
    (identity,) = given.properties("eks", "AWS::EKS::PodIdentityAssociation")
    assert identity["ClusterName"] == "shared"


def test_the_way_between_two_existing_clusters_is_managed_elsewhere(alternatives: Templates) -> None:
    """Two stages on the same clusters would make the same rule, and AWS rejects the second one."""
    assert alternatives.resources("given", "eks", "AWS::EC2::SecurityGroupIngress") == {}


def test_both_runtimes_may_decrypt_the_scram_secret_of_an_existing_cluster(alternatives: Templates) -> None:
    given = Resolved(alternatives, "given")
    for runtime in ("msk", "worker"):
        (key,) = (one for one in given.statements(runtime) if one["Sid"] == "ScramKey")
        assert (key["Action"], key["Resource"]) == ("kms:Decrypt", ALTERNATIVES["given"]["kafka"]["scram_key"])


def _access(entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    (policy,) = entry["AccessPolicies"]
    return policy["PolicyArn"].rpartition("/")[2], policy["AccessScope"]


def _parameters(resolved: Resolved) -> dict[str, str]:
    """Parameters by name, without CDK's own, which has none."""
    parameters = resolved.properties("eks", "AWS::SSM::Parameter")
    return {one["Name"]: one["Value"] for one in parameters if "Name" in one}
