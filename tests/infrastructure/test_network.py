"""The network: three zones, private subnets, and the endpoints and gateways that are needed."""

from dataclasses import replace
from typing import Any

import pytest

from cdk.config import StageConfig
from cdk.network import endpoints
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import ALTERNATIVES, PLACE, PROVISIONED, Templates

ENDPOINT, SUBNET = "AWS::EC2::VPCEndpoint", "AWS::EC2::Subnet"
LOGINS = [PIPELINE]
OF_NODES = {"ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "monitoring", "sts"}


def services(templates: Templates, stage: str) -> set[str]:
    found = templates.resources(stage, "network", ENDPOINT).values()
    interfaces = [each["Properties"] for each in found if each["Properties"]["VpcEndpointType"] == "Interface"]
    return {each["ServiceName"].removeprefix("com.amazonaws.us-east-1.") for each in interfaces}


def tags(resource: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_private_subnet_in_each_zone_tagged_for_eks(templates: Templates, stage: str) -> None:
    subnets = templates.resources(stage, "network", SUBNET).values()
    private = [subnet for subnet in subnets if "kubernetes.io/role/internal-elb" in tags(subnet)]
    assert [subnet["Properties"]["AvailabilityZone"] for subnet in private] == PLACE["zones"]
    assert [subnet["Properties"]["CidrBlock"] for subnet in private] == ["10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"]
    assert all(subnet["Properties"]["MapPublicIpOnLaunch"] is False for subnet in subnets)


def test_without_nat_nothing_is_public(alternatives: Templates) -> None:
    assert len(alternatives.resources("burst", "network", SUBNET)) == 3
    for kind in ("NatGateway", "InternetGateway", "Route"):
        assert not alternatives.resources("burst", "network", f"AWS::EC2::{kind}")


@pytest.mark.parametrize(("stage", "gateways"), [("prod", 3), ("dev", 1)])
def test_nat_gateways_as_configured(templates: Templates, stage: str, gateways: int) -> None:
    found = templates
    assert len(found.resources(stage, "network", "AWS::EC2::NatGateway")) == gateways
    public = [
        each for each in found.resources(stage, "network", SUBNET).values() if "kubernetes.io/role/elb" in tags(each)
    ]
    assert len(public) == 3
    routes = found.resources(stage, "network", "AWS::EC2::Route").values()
    out = [route["Properties"]["NatGatewayId"]["Ref"] for route in routes if "NatGatewayId" in route["Properties"]]
    assert len(out) == 3
    assert len(set(out)) == gateways


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_gateway_endpoints_of_s3_and_dynamodb(templates: Templates, stage: str) -> None:
    found = [each["Properties"] for each in templates.resources(stage, "network", ENDPOINT).values()]
    gateways = [each for each in found if each["VpcEndpointType"] == "Gateway"]
    assert {each["ServiceName"]["Fn::Join"][1][2] for each in gateways} == {".s3", ".dynamodb"}
    private = {
        name
        for name in templates.resources(stage, "network", "AWS::EC2::RouteTable")
        if name.startswith("VpcprivateSubnet")
    }
    for gateway in gateways:
        assert {table["Ref"] for table in gateway["RouteTableIds"]} >= private


def test_interface_endpoints_that_are_needed_and_no_others(templates: Templates, alternatives: Templates) -> None:
    assert services(alternatives, "burst") == {"secretsmanager", "lambda"} | OF_NODES  # on-demand pollers, EKS, no NAT
    assert services(templates, "dev") == services(templates, "prod") == set()  # NAT
    assert services(alternatives, "lean") == {"secretsmanager"}  # provisioned pollers, no EKS
    assert services(alternatives, "iam") == {"secretsmanager"} | OF_NODES  # provisioned pollers, EKS


def test_every_endpoint_has_a_reason() -> None:
    stage = StageConfig.model_validate(PLACE | {"name": "dev"})
    other = replace(LOGINS[0], name="other")
    assert all(len(why) > 20 for why in endpoints.needed(stage, LOGINS).values())
    rests = PLACE | {"name": "dev", "pipelines": {"logins": {"runtime": "worker"}}, "eks": {"kind": "none"}}
    assert "lambda" in endpoints.needed(StageConfig.model_validate(rests), LOGINS)  # its mapping waits, disabled
    assert "lambda" in endpoints.needed(
        StageConfig.model_validate(rests | {"pipelines": PROVISIONED}), [*LOGINS, other]
    )


def test_endpoints_admit_groups_not_ranges(alternatives: Templates) -> None:
    (endpoints_group,) = {
        each["Properties"]["SecurityGroupIds"][0]["Fn::GetAtt"][0]
        for each in alternatives.resources("burst", "network", ENDPOINT).values()
        if each["Properties"]["VpcEndpointType"] == "Interface"
    }
    admitted = alternatives.one("burst", "network", "AWS::EC2::SecurityGroupIngress")
    assert admitted["GroupId"] == {"Fn::GetAtt": [endpoints_group, "GroupId"]}
    assert (admitted["FromPort"], admitted["ToPort"]) == (443, 443)
    rules = alternatives.resources("burst", "kafka", "AWS::EC2::SecurityGroupIngress")
    pollers = rules["PollersToEndpoints"]["Properties"]
    assert pollers["SourceSecurityGroupId"]["Fn::GetAtt"][0].startswith("Brokers")
    assert pollers["FromPort"] == 443


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize("stack", ["network", "kafka"])
def test_no_ingress_from_an_address_range(templates: Templates, stage: str, stack: str) -> None:
    for rule in templates.resources(stage, stack, "AWS::EC2::SecurityGroupIngress").values():
        assert "SourceSecurityGroupId" in rule["Properties"]
        assert not {"CidrIp", "CidrIpv6", "SourcePrefixListId"} & rule["Properties"].keys()
    for group in templates.resources(stage, stack, "AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in group["Properties"]
        assert all(rule.get("IpProtocol") != "-1" for rule in group["Properties"]["SecurityGroupEgress"])


@pytest.mark.parametrize(("stage", "days"), [("dev", 30), ("prod", 90)])
def test_flow_logs_are_kept_encrypted(templates: Templates, stage: str, days: int) -> None:
    assert templates.one(stage, "network", "AWS::EC2::FlowLog")["TrafficType"] == "ALL"
    group = templates.one(stage, "network", "AWS::Logs::LogGroup")
    assert group["RetentionInDays"] == days
    assert "keys" in group["KmsKeyId"]["Fn::ImportValue"]


def test_the_default_security_group_has_no_rules(templates: Templates) -> None:
    assert templates.one("prod", "network", "Custom::VpcRestrictDefaultSG")


def test_an_existing_vpc_is_used_by_ids(alternatives: Templates) -> None:
    kinds = {each["Type"] for each in alternatives["given", "network"]["Resources"].values()}
    assert kinds == {"AWS::EC2::SecurityGroup", "AWS::SSM::Parameter"}
    assert alternatives.one("given", "network", "AWS::EC2::SecurityGroup")["VpcId"] == "vpc-0a1b2c3d"
    parameters = alternatives.parameters("given", "network")
    assert parameters["/tandem/given/private-subnet-ids"] == ",".join(ALTERNATIVES["given"]["network"]["subnets"])
    assert parameters["/tandem/given/vpc-id"] == "vpc-0a1b2c3d"


def test_a_small_range_is_divided_in_the_same_way(alternatives: Templates) -> None:
    subnets = alternatives.resources("lean", "network", SUBNET).values()
    assert [each["Properties"]["CidrBlock"] for each in subnets] == ["10.4.0.0/22", "10.4.4.0/22", "10.4.8.0/22"]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_stack_publishes_its_parameters(templates: Templates, stage: str) -> None:
    names = {"vpc-id", "private-subnet-ids", "zones", "clients-security-group-id"}
    assert templates.parameters(stage, "network").keys() == {f"/tandem/{stage}/{name}" for name in names}
