"""The MSK cluster of a stage, or the one it is given, and the topics of its pipelines.

Serverless has no topic API (MSK documentation, "Topic operations"), and a given cluster's topics are its keeper's:
there somebody has to make the topics before records can flow, and the deployment says which.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.choices import ExistingKafka, ExpressKafka, ServerlessKafka, StandardKafka
from cdk.config import StageConfig
from cdk.kafka import brokers, scram, topics
from cdk.kafka.bootstrap import bootstrap_servers
from cdk.logs import log_group
from cdk.network.ingress import admit, let_out
from cdk.parameters import tell
from cdk.removal import removal
from cdk.stacks.keys import Keys
from cdk.stacks.network import HTTPS, Network
from functions.core import names
from functions.core.pipeline import AnyPipeline
from functions.core.topic_config import TopicConfig

PORTS: Final = {"iam": 9098, "scram": 9096}
EXPORTERS: Final = {"Jmx": 11001, "Node": 11002}  # MSK documentation, "Open monitoring with Prometheus"


class Kafka(Stack):
    """The MSK cluster of a stage, or the one it is given, and the topics of its pipelines."""

    cluster_arn: str
    cluster_name: str
    bootstrap_servers: str
    """For the stage's kind of authentication, as host:port,host:port."""
    brokers: ec2.ISecurityGroup
    """Of the brokers, and of the network interfaces that Lambda makes for event source mappings."""
    port: int
    """9098 for IAM, 9096 for SCRAM; what the bootstrap servers of a given cluster say."""
    scram_secret: secretsmanager.ISecret | None

    def __init__(
        self, scope: Construct, stage: StageConfig, *, keys: Keys, network: Network, pipelines: Sequence[AnyPipeline]
    ) -> None:
        super().__init__(scope, "Kafka", stack_name=f"tandem-{stage.name}-kafka")
        self.port = PORTS[stage.kafka_auth]
        self.scram_secret = None
        self._exporters: Mapping[str, int] = {}
        if isinstance(stage.kafka, ExistingKafka):
            self._use(stage.kafka, stage.kafka_auth)
        else:
            self.brokers = self._brokers(network)
            self._make(stage, stage.kafka, keys, network)
        self._topics(stage.kafka, topics.declared(pipelines))
        clients, group = network.clients.security_group_id, self.brokers.security_group_id
        admit(self, "ClientsToBrokers", clients, group, self.port)
        let_out(self, "ClientsOut", clients, group, self.port)
        network.admit(self, "PollersToEndpoints", group)
        self._leave(stage)

    def admit(self, scope: Construct, name: str, peer: str) -> None:
        """Let another stack's group reach the brokers and, where there are any, their Prometheus exporters."""
        group = self.brokers.security_group_id
        admit(scope, f"{name}ToBrokers", peer, group, self.port)
        for exporter, port in self._exporters.items():
            admit(scope, f"{name}To{exporter}Exporter", peer, group, port)

    def _use(self, kafka: ExistingKafka, auth: str) -> None:
        """Its group has to admit itself on the port, for event source mappings: that rule is its keeper's."""
        self.cluster_arn = kafka.arn
        self.cluster_name = kafka.arn.split("/")[1]
        self.bootstrap_servers = kafka.bootstrap_servers
        self.port = int(kafka.bootstrap_servers.rsplit(":", 1)[1])
        self.brokers = ec2.SecurityGroup.from_security_group_id(self, "Brokers", kafka.security_group)
        if auth == "scram" and kafka.scram_secret and kafka.scram_key:
            self.scram_secret = secretsmanager.Secret.from_secret_attributes(
                self,
                "ScramUser",
                secret_complete_arn=kafka.scram_secret,
                encryption_key=kms.Key.from_key_arn(self, "ScramKey", kafka.scram_key),
            )

    def _brokers(self, network: Network) -> ec2.SecurityGroup:
        """Pollers carry the cluster's group: it talks to itself, and on-demand ones call AWS services from inside it.

        Lambda documentation, "Configuring your Amazon MSK cluster and Amazon VPC network for Lambda".
        """
        group = ec2.SecurityGroup(
            self, "Brokers", vpc=network.vpc, description="Kafka brokers and pollers", allow_all_outbound=False
        )
        admit(self, "PollersToBrokers", group.security_group_id, group.security_group_id, self.port)
        let_out(self, "PollersOut", group.security_group_id, group.security_group_id, self.port)
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "AWS services, for on-demand pollers")
        return group

    def _make(
        self, stage: StageConfig, kafka: StandardKafka | ExpressKafka | ServerlessKafka, keys: Keys, network: Network
    ) -> None:
        cluster = brokers.cluster(
            self,
            stage,
            kafka,
            brokers.Place(network.subnet_ids, self.brokers.security_group_id),
            keys.data,
        )
        cluster.apply_removal_policy(removal(stage))
        self.cluster_name = names.cluster(stage.name)
        self.cluster_arn = cluster.attr_arn
        if stage.kafka_auth == "scram":
            self.scram_secret = scram.user(self, stage, keys.data, self.cluster_arn)
        self.bootstrap_servers = bootstrap_servers(
            self, self.cluster_arn, stage.kafka_auth, log_group(self, "BootstrapLogs", stage, keys.data)
        )

    def _topics(self, kafka: object, declared: Mapping[str, TopicConfig]) -> None:
        if isinstance(kafka, StandardKafka | ExpressKafka):
            self._exporters = EXPORTERS
            topics.create(self, self.cluster_arn, declared, express=isinstance(kafka, ExpressKafka))
        else:
            told = "; ".join(topics.described(name, config) for name, config in declared.items())
            CfnOutput(self, "TopicsToMake", value=told, description="This cluster takes topics from Kafka clients only")

    def _leave(self, stage: StageConfig) -> None:
        """For the manifests, Terraform and people."""
        values = {
            "cluster-arn": self.cluster_arn,
            "bootstrap-servers": self.bootstrap_servers,
            "kafka-port": str(self.port),
            "brokers-security-group-id": self.brokers.security_group_id,
        }
        tell(self, stage, values)
