"""The VPC of a stage, new or existing."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Annotations, Tags
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk.choices import ExistingNetwork, NewNetwork
from cdk.config import ZONES

GATEWAYS: Final = {"none": 0, "one": 1, "per-zone": ZONES}


def existing(scope: Construct, network: ExistingNetwork, zones: Sequence[str]) -> ec2.IVpc:
    """An existing VPC, by IDs and without a look-up. Its routes, endpoints and flow logs are managed elsewhere."""
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=network.vpc,
        availability_zones=list(zones),
        private_subnet_ids=list(network.subnets),
    )
    for subnet in vpc.private_subnets:
        Annotations.of(subnet).acknowledge_warning(
            "@aws-cdk/aws-ec2:noSubnetRouteTableId", "nothing here adds routes to these subnets"
        )
    return vpc


def new(scope: Construct, network: NewNetwork, zones: Sequence[str]) -> ec2.Vpc:
    """A new VPC, with the tags by which EKS finds the subnets for internal and public load balancers."""
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(network.cidr),
        availability_zones=list(zones),
        nat_gateways=GATEWAYS[network.nat],
        subnet_configuration=_subnets(network),
        gateway_endpoints={
            "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
            "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        },
    )
    for subnet in (*vpc.private_subnets, *vpc.isolated_subnets):
        Tags.of(subnet).add("kubernetes.io/role/internal-elb", "1")
    for subnet in vpc.public_subnets:
        Tags.of(subnet).add("kubernetes.io/role/elb", "1")
    return vpc


def _subnets(network: NewNetwork) -> list[ec2.SubnetConfiguration]:
    """Private subnets use three quarters of the range; public ones, if NAT needs them, are in the last quarter."""
    kind, length = ec2.SubnetType, int(network.cidr.split("/")[1])
    if network.nat == "none":
        return [ec2.SubnetConfiguration(name="private", subnet_type=kind.PRIVATE_ISOLATED, cidr_mask=length + 2)]
    return [
        ec2.SubnetConfiguration(name="private", subnet_type=kind.PRIVATE_WITH_EGRESS, cidr_mask=length + 2),
        ec2.SubnetConfiguration(
            name="public", subnet_type=kind.PUBLIC, cidr_mask=length + 4, map_public_ip_on_launch=False
        ),
    ]
