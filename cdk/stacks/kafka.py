"""The MSK cluster of a stage, or the one it is given, and the topics of its pipelines."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_msk as msk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.config import StageConfig
from cdk.stacks.keys import Keys
from cdk.stacks.network import Network
from functions.core import names
from functions.core.pipeline import AnyPipeline


class Kafka(Stack):
    """The MSK cluster of a stage, or the one it is given, and the topics of its pipelines."""

    cluster_arn: str
    cluster_name: str
    bootstrap_servers: str
    """For the stage's kind of authentication, as host:port,host:port."""
    brokers: ec2.ISecurityGroup
    port: int
    """9098 for IAM, 9096 for SCRAM."""
    scram_secret: secretsmanager.ISecret | None

    def __init__(
        self, scope: Construct, stage: StageConfig, *, keys: Keys, network: Network, pipelines: Sequence[AnyPipeline]
    ) -> None:
        super().__init__(scope, "Kafka", stack_name=f"tandem-{stage.name}-kafka")
        self.brokers = ec2.SecurityGroup(self, "Brokers", vpc=network.vpc)
        self.port = 9098
        self.scram_secret = None
        cluster = msk.CfnServerlessCluster(
            self,
            "Cluster",
            cluster_name=names.cluster(stage.name),
            client_authentication={"sasl": {"iam": {"enabled": True}}},
            vpc_configs=[
                {
                    "subnetIds": network.vpc.select_subnets(subnets=network.private.subnets).subnet_ids,
                    "securityGroups": [self.brokers.security_group_id],
                }
            ],
        )
        self.cluster_arn = cluster.attr_arn
        self.cluster_name = names.cluster(stage.name)
        self.bootstrap_servers = "boot:9098"
