"""An EKS cluster whose access is managed externally, for example by k8s/terraform: the CDK creates none of it."""

import hcl2
import pytest

from cdk import names
from cdk.kafka.stack import EXPORTERS
from cdk.runtimes.worker.stack import KEDA
from tests.infrastructure.conftest import PLACE, ROOT, Templates, synthesise

ACCESS = ("AWS::EKS::PodIdentityAssociation", "AWS::EKS::AccessEntry", "AWS::EC2::SecurityGroupIngress")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Two stages that differ only in where access to the cluster is managed."""
    eks = {"kind": "existing", "name": "tandem-dev", "security_group": "sg-0e0f0a0b"}
    github = {
        "repository": "acme/tandem",
        "environment": "dev",
        "provider_arn": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
    }
    place = PLACE | {"network": {"kind": "new", "nat": "one"}}
    stages = {
        "ours": place | {"eks": eks, "github": github},
        "theirs": place | {"eks": eks | {"access_managed_externally": True}, "github": github},
    }
    return synthesise(tmp_path_factory.mktemp("access"), stages)


@pytest.mark.parametrize("kind", ACCESS)
def test_nothing_is_created_twice(made: Templates, kind: str) -> None:
    assert len(made.resources("ours", "eks", kind)) == 1
    assert made.resources("theirs", "eks", kind) == {}


def test_terraform_finds_every_parameter_that_it_reads(made: Templates) -> None:
    published = {name for stack in ("network", "kafka", "eks") for name in made.parameters("theirs", stack)}
    read = {"vpc-id", "private-subnet-ids", "brokers-security-group-id", "kafka-port"}
    read |= {"worker-role-arn/logins", "keda-role-arn"}
    assert {names.parameter("theirs", name) for name in read} <= published


def test_keda_and_prometheus_reach_the_brokers_as_on_a_cluster_of_the_cdks() -> None:
    blocks = hcl2.loads((ROOT / "k8s/terraform/main.tf").read_text())["resource"]
    made = {name.strip('"'): body for block in blocks for kind in block.values() for name, body in kind.items()}
    assert (made["keda"]["namespace"].strip('"'), made["keda"]["service_account"].strip('"')) == KEDA
    assert set(made["exporters_from_nodes"]["for_each"].values()) >= set(EXPORTERS.values())
