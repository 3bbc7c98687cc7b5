"""Where everything of a stage lives: three zones, private subnets, and the ways out that are needed."""

from collections.abc import Mapping, Sequence

from aws_cdk import Annotations, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk import endpoints
from cdk.config import ExistingNetwork, NewNetwork, StageConfig
from cdk.ingress import admit
from cdk.logs import log_group
from cdk.stacks.keys import Keys
from functions.core import names
from functions.core.pipeline import AnyPipeline

HTTPS = 443
NAT = {"none": 0, "one": 1, "per-zone": 3}


class Network(Stack):
    """Where everything of a stage lives: three zones, private subnets, and the ways out that are needed."""

    vpc: ec2.IVpc
    private: ec2.SubnetSelection
    """One private subnet in each zone."""
    subnet_ids: list[str]
    """Of the same, in the order of the stage's zones."""
    clients: ec2.SecurityGroup
    """Of the functions. Event source mappings carry the brokers' group instead: Lambda gives them the cluster's."""
    endpoints: ec2.SecurityGroup | None
    """Of the interface endpoints, where there are any: see `admit`."""

    def __init__(self, scope: Construct, stage: StageConfig, *, keys: Keys, pipelines: Sequence[AnyPipeline]) -> None:
        super().__init__(scope, "Network", stack_name=f"tandem-{stage.name}-network")
        network = stage.network
        self.endpoints = None
        if isinstance(network, ExistingNetwork):
            self.vpc = self._existing(network, stage)
            subnets = self.vpc.private_subnets
        else:
            self.vpc = self._new(network, stage)
            subnets = self.vpc.private_subnets or self.vpc.isolated_subnets
            self._flow_logs(stage, keys)
        self.private = ec2.SubnetSelection(subnets=subnets)
        self.subnet_ids = [subnet.subnet_id for subnet in subnets]
        self.clients = self._clients()
        self._endpoints(endpoints.needed(stage, [pipeline.name for pipeline in pipelines]))
        self._leave(stage)

    def admit(self, scope: Construct, name: str, peer: ec2.ISecurityGroup) -> None:
        """Let a group of another stack reach the interface endpoints; without any, its traffic goes through NAT."""
        if self.endpoints:
            admit(scope, name, peer, self.endpoints, HTTPS)

    def _existing(self, network: ExistingNetwork, stage: StageConfig) -> ec2.IVpc:
        """By IDs alone: no look-up. Routes, endpoints and flow logs are its keeper's."""
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=network.vpc,
            availability_zones=list(stage.zones),
            private_subnet_ids=list(network.subnets),
        )
        for subnet in vpc.private_subnets:
            Annotations.of(subnet).acknowledge_warning(
                "@aws-cdk/aws-ec2:noSubnetRouteTableId", "nothing here adds routes to somebody else's tables"
            )
        return vpc

    def _new(self, network: NewNetwork, stage: StageConfig) -> ec2.Vpc:
        """The private subnets take three quarters of the range; public ones, where NAT needs them, lie in the last."""
        isolated = network.nat == "none"
        kind = ec2.SubnetType.PRIVATE_ISOLATED if isolated else ec2.SubnetType.PRIVATE_WITH_EGRESS
        bits = int(network.cidr.split("/")[1])
        private = ec2.SubnetConfiguration(name="private", subnet_type=kind, cidr_mask=bits + 2)
        public = ec2.SubnetConfiguration(
            name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=bits + 4, map_public_ip_on_launch=False
        )
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(network.cidr),
            availability_zones=list(stage.zones),
            nat_gateways=NAT[network.nat],
            subnet_configuration=[private] if isolated else [private, public],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
        )
        for subnet in (*vpc.private_subnets, *vpc.isolated_subnets):  # where EKS may put load balancers
            Tags.of(subnet).add("kubernetes.io/role/internal-elb", "1")
        for subnet in vpc.public_subnets:
            Tags.of(subnet).add("kubernetes.io/role/elb", "1")
        return vpc

    def _flow_logs(self, stage: StageConfig, keys: Keys) -> None:
        ec2.FlowLog(
            self,
            "FlowLog",
            resource_type=ec2.FlowLogResourceType.from_vpc(self.vpc),
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group(self, "Flows", stage, keys.data)),
        )

    def _clients(self) -> ec2.SecurityGroup:
        """Nobody may come in. Out goes HTTPS, since S3 and DynamoDB have no group to name, and what Kafka adds."""
        clients = ec2.SecurityGroup(
            self, "Clients", vpc=self.vpc, description="Functions that talk to Kafka", allow_all_outbound=False
        )
        clients.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "AWS services")
        return clients

    def _endpoints(self, services: Mapping[str, str]) -> None:
        if not services:
            return
        self.endpoints = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, description="Interface endpoints", allow_all_outbound=False
        )
        for service in services:
            ec2.InterfaceVpcEndpoint(
                self,
                f"Endpoint-{service}",
                vpc=self.vpc,
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=self.private,
                security_groups=[self.endpoints],
                open=False,  # CDK would admit the VPC's whole range
            )
        self.admit(self, "ClientsToEndpoints", self.clients)

    def _leave(self, stage: StageConfig) -> None:
        """For the manifests and Terraform."""
        found = {"vpc-id": self.vpc.vpc_id, "clients-security-group-id": self.clients.security_group_id}
        for name, value in found.items():
            ssm.StringParameter(self, name, parameter_name=names.parameter(stage.name, name), string_value=value)
        for name, values in {"private-subnet-ids": self.subnet_ids, "zones": list(stage.zones)}.items():
            ssm.StringListParameter(
                self, name, parameter_name=names.parameter(stage.name, name), string_list_value=values
            )
