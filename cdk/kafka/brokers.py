"""MSK clusters: standard brokers, Express brokers, Serverless. All are durable alike.

Three replicas, two of which must have a record before it counts, one in each zone, and no replica that lags behind may
lead. Standard brokers have to be told; Express and Serverless are made so and refuse to be told (MSK documentation,
"Express brokers read-only configurations").
"""

from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_kms as kms
from aws_cdk import aws_msk as msk
from constructs import Construct

from cdk.choices import ExpressKafka, ServerlessKafka, StandardKafka
from cdk.config import ZONES, StageConfig
from cdk.kafka.storage import grow
from cdk.logs import log_group
from cdk.removal import removal
from functions.core import names

SERVER_PROPERTIES: Final = {
    "auto.create.topics.enable": "false",  # a misspelt topic is an error, not a new topic
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",  # reads stay in the zone
    "transaction.state.log.min.isr": "2",
    "transaction.state.log.replication.factor": "3",
    "unclean.leader.election.enable": "false",  # standard brokers come with true, and lose records by it
}
# MSK documentation, "Amazon MSK metrics for monitoring Standard brokers" and its twin for Express: lag, disk and
# offline partitions are free at DEFAULT; standard brokers tell of partitions with too few replicas at PER_BROKER.
STANDARD_METRICS: Final = "PER_BROKER"
EXPRESS_METRICS: Final = "DEFAULT"
Brokers = StandardKafka | ExpressKafka


@dataclass(frozen=True)
class Place:
    """Where brokers stand: the IDs of a subnet in each zone, and of their security group."""

    subnets: list[str]
    security_group: str


def cluster(
    scope: Construct, stage: StageConfig, kafka: Brokers | ServerlessKafka, place: Place, key: kms.IKey
) -> msk.CfnCluster | msk.CfnServerlessCluster:
    """The cluster that the stage asks for."""
    match kafka:
        case ServerlessKafka():
            return _serverless(scope, stage, place)
        case ExpressKafka():
            return _provisioned(scope, stage, kafka, place, key)
        case StandardKafka():
            return _standard(scope, stage, kafka, place, key)


def _serverless(scope: Construct, stage: StageConfig, place: Place) -> msk.CfnServerlessCluster:
    """Encrypted by itself, IAM only, without broker logs and open monitoring."""
    kind = msk.CfnServerlessCluster
    return kind(
        scope,
        "Cluster",
        cluster_name=names.cluster(stage.name),
        client_authentication=kind.ClientAuthenticationProperty(
            sasl=kind.SaslProperty(iam=kind.IamProperty(enabled=True))
        ),
        vpc_configs=[kind.VpcConfigProperty(subnet_ids=place.subnets, security_groups=[place.security_group])],
    )


def _standard(
    scope: Construct, stage: StageConfig, kafka: StandardKafka, place: Place, key: kms.IKey
) -> msk.CfnCluster:
    """What Express brokers need not be told: their configuration, and how their storage grows."""
    # For no version in particular: a list of them cannot change, and an upgrade would want another of the same name.
    configuration = msk.CfnConfiguration(
        scope,
        "Configuration",
        name=names.cluster(stage.name),
        server_properties="\n".join(f"{name}={value}" for name, value in SERVER_PROPERTIES.items()),
    )
    configuration.apply_removal_policy(removal(stage))  # a cluster that stays needs it
    made = _provisioned(scope, stage, kafka, place, key)
    made.enhanced_monitoring = STANDARD_METRICS
    made.configuration_info = msk.CfnCluster.ConfigurationInfoProperty(
        arn=configuration.attr_arn, revision=configuration.attr_latest_revision_revision
    )
    grow(made, kafka)
    return made


def _nodes(kafka: Brokers, place: Place) -> msk.CfnCluster.BrokerNodeGroupInfoProperty:
    storage = None
    if isinstance(kafka, StandardKafka):
        volume = msk.CfnCluster.EBSStorageInfoProperty(volume_size=kafka.storage_gib)
        storage = msk.CfnCluster.StorageInfoProperty(ebs_storage_info=volume)
    return msk.CfnCluster.BrokerNodeGroupInfoProperty(
        client_subnets=place.subnets,
        instance_type=kafka.instance,
        security_groups=[place.security_group],
        storage_info=storage,
    )


def _provisioned(scope: Construct, stage: StageConfig, kafka: Brokers, place: Place, key: kms.IKey) -> msk.CfnCluster:
    kind = msk.CfnCluster
    logs = log_group(scope, "BrokerLogs", stage, key, group=f"/aws/vendedlogs/tandem/{stage.name}/brokers")
    return kind(
        scope,
        "Cluster",
        cluster_name=names.cluster(stage.name),
        kafka_version=kafka.version,
        number_of_broker_nodes=ZONES * kafka.brokers_per_zone,
        broker_node_group_info=_nodes(kafka, place),
        client_authentication=kind.ClientAuthenticationProperty(
            sasl=kind.SaslProperty(
                iam=kind.IamProperty(enabled=stage.kafka_auth == "iam"),
                scram=kind.ScramProperty(enabled=stage.kafka_auth == "scram"),
            ),
            unauthenticated=kind.UnauthenticatedProperty(enabled=False),
        ),
        encryption_info=kind.EncryptionInfoProperty(
            encryption_at_rest=kind.EncryptionAtRestProperty(data_volume_kms_key_id=key.key_arn),
            encryption_in_transit=kind.EncryptionInTransitProperty(client_broker="TLS", in_cluster=True),
        ),
        enhanced_monitoring=EXPRESS_METRICS,
        open_monitoring=kind.OpenMonitoringProperty(
            prometheus=kind.PrometheusProperty(
                jmx_exporter=kind.JmxExporterProperty(enabled_in_broker=True),
                node_exporter=kind.NodeExporterProperty(enabled_in_broker=True),
            )
        ),
        logging_info=kind.LoggingInfoProperty(
            broker_logs=kind.BrokerLogsProperty(
                cloud_watch_logs=kind.CloudWatchLogsProperty(enabled=True, log_group=logs.log_group_name)
            )
        ),
    )
