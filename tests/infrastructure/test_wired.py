"""A cluster that somebody else keeps and wires, such as that of k8s/terraform: the CDK leaves those things to them."""

import hcl2
import pytest

from cdk.stacks.kafka import EXPORTERS
from cdk.stacks.steady import KEDA
from functions.core import names
from tests.infrastructure.conftest import PLACE, ROOT, Templates, synthesise

WIRING = ("AWS::EKS::PodIdentityAssociation", "AWS::EKS::AccessEntry", "AWS::EC2::SecurityGroupIngress")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The same stage twice, but for who wires the cluster."""
    eks = {"kind": "existing", "name": "tandem-dev", "security_group": "sg-0e0f0a0b"}
    github = {
        "repository": "acme/tandem",
        "environment": "dev",
        "provider_arn": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
    }
    place = PLACE | {"network": {"kind": "new", "nat": "one"}}
    stages = {
        "ours": place | {"eks": eks, "github": github},
        "theirs": place | {"eks": eks | {"wired": True}, "github": github},
    }
    return synthesise(tmp_path_factory.mktemp("wired"), stages)


@pytest.mark.parametrize("kind", WIRING)
def test_nothing_is_made_twice(made: Templates, kind: str) -> None:
    assert len(made.resources("ours", "steady", kind)) == 1
    assert made.resources("theirs", "steady", kind) == {}


def test_what_terraform_reads_is_told(made: Templates) -> None:
    told = {name for stack in ("network", "kafka", "steady") for name in made.parameters("theirs", stack)}
    read = {"vpc-id", "private-subnet-ids", "brokers-security-group-id", "kafka-port"}
    read |= {"worker-role-arn/logins", "keda-role-arn"}
    assert {names.parameter("theirs", name) for name in read} <= told


def test_keda_and_prometheus_reach_the_brokers_as_on_a_cluster_of_the_cdks() -> None:
    blocks = hcl2.loads((ROOT / "k8s/terraform/main.tf").read_text())["resource"]
    made = {name.strip('"'): body for block in blocks for kind in block.values() for name, body in kind.items()}
    assert (made["keda"]["namespace"].strip('"'), made["keda"]["service_account"].strip('"')) == KEDA
    assert set(made["exporters_from_nodes"]["for_each"].values()) >= set(EXPORTERS.values())
