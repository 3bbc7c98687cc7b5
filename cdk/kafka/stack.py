"""The MSK cluster of a stage, new or existing, and the topics of its pipelines.

Serverless has no topic API (MSK documentation, "Topic operations"), and the topics of an existing cluster are managed
elsewhere unless the stage says otherwise. There an operator creates the topics before records can flow; the stack's
outputs list them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Annotations, CfnOutput, CfnResource, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk import names
from cdk.choices import ExistingKafka, ExpressKafka, StandardKafka
from cdk.config import StageConfig
from cdk.kafka import brokers, scram, topics
from cdk.kafka.bootstrap import bootstrap_servers
from cdk.kafka.brokers import NewKafka
from cdk.keys.stack import KeysStack
from cdk.logs import log_group
from cdk.network.ingress import admit, let_out
from cdk.network.stack import HTTPS, NetworkStack
from cdk.parameters import publish_parameters
from cdk.removal import removal
from functions.core.pipeline import AnyPipeline
from functions.core.topic_config import TopicConfig

PORTS: Final = {"iam": 9098, "scram": 9096}
EXPORTERS: Final = {"Jmx": 11001, "Node": 11002}  # MSK documentation, "Open monitoring with Prometheus"


class KafkaStack(Stack):
    """The MSK cluster of a stage, new or existing, and the topics of its pipelines."""

    cluster_arn: str
    event_source_arn: str
    """The cluster's ARN, or that of the connection to a cluster of another account."""
    cluster_name: str
    bootstrap_servers: str
    """host:port,host:port for the stage's authentication."""
    brokers: ec2.ISecurityGroup
    """Security group of the brokers, and of the network interfaces that Lambda creates for event source mappings."""
    port: int
    """9098 for IAM, 9096 for SCRAM; for an existing cluster the port of its bootstrap servers."""
    scram: scram.ScramUsers | None
    """The users, if the stage does not use IAM."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: KeysStack,
        network: NetworkStack,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Kafka", stack_name=f"tandem-{stage.name}-kafka")
        self.port = PORTS[stage.kafka_auth]
        declared = [pipeline.name for pipeline in pipelines]
        self.scram = None
        self._before_topics: list[Construct] = []
        self._exporters: Mapping[str, int] = {}
        if isinstance(stage.kafka, ExistingKafka):
            self._use_existing(stage.kafka, stage.kafka_auth, declared)
        else:
            self.brokers = self._broker_group(network)
            self._create(stage, stage.kafka, keys, network, declared)
        self._topics(stage.kafka, topics.declared(pipelines))
        clients, group = network.clients.security_group_id, self.brokers.security_group_id
        admit(self, "ClientsToBrokers", clients, group, self.port)
        let_out(self, "ClientsOut", clients, group, self.port)
        network.admit(self, "PollersToEndpoints", group)
        self._publish(stage)

    def admit(self, scope: Construct, name: str, peer: str) -> None:
        """Let another stack's security group reach the brokers and, if they have any, their Prometheus exporters."""
        group = self.brokers.security_group_id
        admit(scope, f"{name}ToBrokers", peer, group, self.port)
        for exporter, port in self._exporters.items():
            admit(scope, f"{name}To{exporter}Exporter", peer, group, port)

    def arn_of(self, resource_type: str, name: str) -> str:
        """For another stack, the ARN of a `topic` or a `group`: arn:...:topic/CLUSTER/UUID/NAME.

        Source: Service Authorization Reference, "Resource types defined by Apache Kafka APIs for Amazon MSK clusters".
        """
        return f"{self._prefix}:{resource_type}/{self._path}/{name}"

    def _use_existing(self, existing: ExistingKafka, auth: str, declared: Sequence[str]) -> None:
        """Event source mappings need a rule by which the group admits itself on the port, also managed elsewhere."""
        self.cluster_arn = existing.arn
        self.event_source_arn = existing.vpc_connection or existing.arn
        self._prefix, self._path = existing.arn.split(":cluster/")
        self.cluster_name = self._path.split("/")[0]
        self.bootstrap_servers = existing.bootstrap_servers
        self.port = int(existing.bootstrap_servers.rsplit(":", 1)[1])
        self.brokers = ec2.SecurityGroup.from_security_group_id(self, "Brokers", existing.security_group)
        if auth == "scram":
            self.scram = scram.given(self, existing, declared)

    def _broker_group(self, network: NetworkStack) -> ec2.SecurityGroup:
        """Pollers have the cluster's group, so it admits itself. On-demand ones also call AWS services from it.

        Lambda documentation, "Configuring your Amazon MSK cluster and Amazon VPC network for Lambda".
        """
        group = ec2.SecurityGroup(
            self, "Brokers", vpc=network.vpc, description="Kafka brokers and pollers", allow_all_outbound=False
        )
        admit(self, "PollersToBrokers", group.security_group_id, group.security_group_id, self.port)
        let_out(self, "PollersOut", group.security_group_id, group.security_group_id, self.port)
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "AWS services, for on-demand pollers")
        return group

    def _create(
        self,
        stage: StageConfig,
        cluster_config: NewKafka,
        keys: KeysStack,
        network: NetworkStack,
        declared: Sequence[str],
    ) -> None:
        cluster = brokers.cluster(
            self,
            stage,
            cluster_config,
            brokers.BrokerPlacement(network.subnet_ids, self.brokers.security_group_id),
            keys.data,
        )
        cluster.apply_removal_policy(removal(stage))
        self.cluster_name = names.kafka_cluster(stage.name, cluster_config.kind)
        self.cluster_arn = self.event_source_arn = cluster.attr_arn
        self._prefix = f"arn:{self.partition}:kafka:{self.region}:{self.account}"
        self._path = self._publish_path(cluster)
        if stage.kafka_auth == "scram":
            self.scram, association = scram.create(self, stage, keys.data, self.cluster_arn, declared)
            self._before_topics = [association]
            if not brokers.requires_acls(cluster_config):
                Annotations.of(association).add_warning_v2("tandem:acls-not-required", acls_not_required(stage.name))
        self.bootstrap_servers = bootstrap_servers(
            self, self.cluster_arn, stage.kafka_auth, log_group(self, "BootstrapLogs", stage, keys.data)
        )

    def _publish_path(self, cluster: CfnResource) -> str:
        """NAME/UUID, for other stacks. It is a separate output, because Fn::Split accepts no weak reference."""
        path = Fn.select(1, Fn.split(":cluster/", self.cluster_arn))
        output = CfnOutput(self, f"{cluster.node.id}Path", value=path)
        return Fn.get_stack_output(self.stack_name, output.logical_id)

    def _topics(self, kafka_config: NewKafka | ExistingKafka, declared: Mapping[str, TopicConfig]) -> None:
        if isinstance(kafka_config, StandardKafka | ExpressKafka):
            self._exporters = EXPORTERS
        if kinds := _brokers(kafka_config):
            created = topics.create(self, self.cluster_arn, declared, kinds)
            for topic in created:  # each reference to the cluster makes CloudFormation wait until it is ACTIVE
                topic.node.add_dependency(*self._before_topics)
        else:
            lines = "; ".join(topics.describe(name, topic) for name, topic in declared.items())
            CfnOutput(
                self, "TopicsToMake", value=lines, description="This cluster takes topics from Kafka clients only"
            )

    def _publish(self, stage: StageConfig) -> None:
        """Publish values for manifests, Terraform and operators."""
        values = {
            "cluster-arn": self.cluster_arn,
            "bootstrap-servers": self.bootstrap_servers,
            "kafka-port": str(self.port),
            "brokers-security-group-id": self.brokers.security_group_id,
        }
        publish_parameters(self, stage, values)


def _brokers(kafka_config: NewKafka | ExistingKafka) -> topics.Brokers | None:
    """What topics may set, where the stage creates them."""
    match kafka_config:
        case StandardKafka():
            return topics.Brokers(tiered=kafka_config.tiered_storage)
        case ExpressKafka():
            return topics.Brokers(express=True)
        case ExistingKafka(topics=str(kind)):
            return topics.Brokers(express=kind == "express")
        case _:
            return None


def acls_not_required(stage: str) -> str:
    """Return the warning about a cluster that still lets every user do what no ACL forbids."""
    return (
        f"stages.{stage}: a Kafka user without an ACL may do anything that no ACL is about, expected"
        " kafka.requires_acls after `tandem acls --all --execute`"
    )
