"""The network of a stage: a VPC over three zones, private subnets, endpoints and security groups."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk import external, names, references
from cdk.choices import ExistingNetwork, NewNetwork
from cdk.config import StageConfig
from cdk.keys.stack import KeysStack
from cdk.logs import log_group
from cdk.network import endpoints, vpc
from cdk.network.ingress import admit
from cdk.parameters import publish_parameters
from functions.core.pipeline import AnyPipeline

HTTPS = 443


class NetworkStack(Stack):
    """The network of a stage: a VPC over three zones, private subnets, endpoints and security groups."""

    vpc: ec2.IVpc
    private: ec2.SubnetSelection
    """One private subnet in each zone."""
    subnet_ids: list[str]
    """The IDs of the private subnets, in the order of the stage's zones."""
    clients: ec2.SecurityGroup
    """Security group of the functions. Event source mappings have the brokers' group, which Lambda assigns."""
    endpoints: ec2.SecurityGroup | None
    """Security group of the interface endpoints, if there are any: see `admit`."""

    def __init__(
        self, scope: Construct, stage: StageConfig, *, keys: KeysStack, pipelines: Sequence[AnyPipeline]
    ) -> None:
        super().__init__(scope, "Network", stack_name=f"tandem-{stage.name}-network")
        self.endpoints = None
        if isinstance(stage.network, ExistingNetwork):
            self.vpc = vpc.existing(self, stage.network, stage.zones)
        else:
            self.vpc = vpc.new(self, stage.network, stage.zones)
            self._flow_logs(stage, keys)
        subnets = self.vpc.private_subnets or self.vpc.isolated_subnets
        self.private = ec2.SubnetSelection(subnets=subnets)
        self.subnet_ids = [subnet.subnet_id for subnet in subnets]
        self.clients = self._clients(external.ports(stage, pipelines))
        self._endpoints(endpoints.needed(stage, pipelines))
        self._publish(stage)
        if isinstance(stage.network, NewNetwork):
            references.fix(self, [self.vpc, *subnets], [self.vpc.vpc_id, *self.subnet_ids])
        references.fix(self, [self.clients], [self.clients.security_group_id])

    def admit(self, scope: Construct, name: str, peer: str) -> None:
        """Let another stack's group reach the interface endpoints. Without endpoints its traffic goes through NAT."""
        if self.endpoints:
            admit(scope, name, peer, self.endpoints.security_group_id, HTTPS)

    def _flow_logs(self, stage: StageConfig, keys: KeysStack) -> None:
        ec2.FlowLog(
            self,
            "FlowLog",
            resource_type=ec2.FlowLogResourceType.from_vpc(self.vpc),
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group(self, "Flows", stage, keys.data)),
        )

    def _clients(self, ports: Sequence[int]) -> ec2.SecurityGroup:
        """No inbound traffic; outbound HTTPS to any address, as S3 and DynamoDB have no group. Kafka adds a port.

        `ports`: those of registries and own sinks, whose addresses no declaration names.
        """
        clients = ec2.SecurityGroup(
            self, "Clients", vpc=self.vpc, description="Functions that talk to Kafka", allow_all_outbound=False
        )
        clients.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "AWS services")
        for port in ports:
            clients.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Registries and sinks of pipelines")
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
        self.admit(self, "ClientsToEndpoints", self.clients.security_group_id)

    def _publish(self, stage: StageConfig) -> None:
        """Publish values for the manifests and Terraform."""
        group = self.clients.security_group_id
        publish_parameters(self, stage, {"vpc-id": self.vpc.vpc_id, "clients-security-group-id": group})
        for name, values in {"private-subnet-ids": self.subnet_ids, "zones": list(stage.zones)}.items():
            ssm.StringListParameter(
                self, f"Parameter-{name}", parameter_name=names.parameter(stage.name, name), string_list_value=values
            )
