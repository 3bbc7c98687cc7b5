"""Where everything of a stage lives: three zones, private subnets, and the ways out that are needed."""

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk.config import StageConfig


class Network(Stack):
    """Where everything of a stage lives: three zones, private subnets, and the ways out that are needed."""

    vpc: ec2.IVpc
    private: ec2.SubnetSelection
    """One private subnet in each zone."""
    clients: ec2.SecurityGroup
    """Of whoever talks to Kafka from Lambda: functions and event source mappings."""

    def __init__(self, scope: Construct, stage: StageConfig) -> None:
        super().__init__(scope, "Network", stack_name=f"tandem-{stage.name}-network")
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            availability_zones=list(stage.zones),
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=20)
            ],
        )
        self.private = ec2.SubnetSelection(subnets=self.vpc.isolated_subnets)
        self.clients = ec2.SecurityGroup(self, "Clients", vpc=self.vpc)
