"""MSK clusters: standard brokers, Express brokers, Serverless. All have the same durability.

Each record has three replicas, one in each zone. Two must have it before it is acknowledged, and a replica that is out
of sync cannot become the leader. Standard brokers need a configuration for this. On Express and Serverless it is fixed
and cannot be set (MSK documentation, "Express brokers read-only configurations").
"""

from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_kms as kms
from aws_cdk import aws_msk as msk
from constructs import Construct

from cdk import names
from cdk.choices import ExistingKafka, ExpressKafka, ServerlessKafka, StandardKafka
from cdk.config import ZONES, StageConfig
from cdk.kafka.storage import grow_storage
from cdk.logs import log_group
from cdk.removal import removal

SERVER_PROPERTIES: Final = {
    "auto.create.topics.enable": "false",  # a misspelt topic is an error, not a new topic
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",  # reads stay in the zone
    "transaction.state.log.min.isr": "2",
    "transaction.state.log.replication.factor": "3",
    "unclean.leader.election.enable": "false",  # the default of standard brokers is true, which loses records
}
# MSK documentation, "Amazon MSK metrics for monitoring Standard brokers" and the same for Express: lag, disk and
# offline partitions are free at DEFAULT; standard brokers report partitions with too few replicas at PER_BROKER.
STANDARD_METRICS: Final = "PER_BROKER"
EXPRESS_METRICS: Final = "DEFAULT"
# CloudFormation cannot change a resource's type, and MSK cannot make standard brokers Express ones.
LOGICAL_IDS: Final = {"standard": "Cluster", "express": "ExpressCluster", "serverless": "ServerlessCluster"}
BrokerConfig = StandardKafka | ExpressKafka
NewKafka = BrokerConfig | ServerlessKafka


@dataclass(frozen=True)
class BrokerPlacement:
    """The IDs of a subnet in each zone, and of the brokers' security group."""

    subnets: list[str]
    security_group: str


def cluster(
    scope: Construct,
    stage: StageConfig,
    cluster_config: NewKafka,
    placement: BrokerPlacement,
    key: kms.IKey,
) -> msk.CfnCluster | msk.CfnServerlessCluster:
    """Create the cluster of the configured kind."""
    match cluster_config:
        case ServerlessKafka():
            return _serverless(scope, stage, placement)
        case ExpressKafka():
            return _express(scope, stage, cluster_config, placement, key)
        case StandardKafka():
            return _standard(scope, stage, cluster_config, placement, key)


def _serverless(scope: Construct, stage: StageConfig, placement: BrokerPlacement) -> msk.CfnServerlessCluster:
    """Always encrypted, IAM only, without broker logs and open monitoring."""
    kind = msk.CfnServerlessCluster
    return kind(
        scope,
        LOGICAL_IDS[stage.kafka.kind],
        cluster_name=names.kafka_cluster(stage.name, stage.kafka.kind),
        client_authentication=kind.ClientAuthenticationProperty(
            sasl=kind.SaslProperty(iam=kind.IamProperty(enabled=True))
        ),
        vpc_configs=[kind.VpcConfigProperty(subnet_ids=placement.subnets, security_groups=[placement.security_group])],
    )


def _standard(
    scope: Construct, stage: StageConfig, broker_config: StandardKafka, placement: BrokerPlacement, key: kms.IKey
) -> msk.CfnCluster:
    """A provisioned cluster with a configuration, and with storage that grows; Express brokers need neither."""
    configuration = _configuration(scope, stage, broker_config, SERVER_PROPERTIES | _authorization(stage))
    created = _provisioned(scope, stage, broker_config, placement, key)
    created.enhanced_monitoring = STANDARD_METRICS
    created.configuration_info = configuration
    if broker_config.tiered_storage:
        created.storage_mode = "TIERED"
    grow_storage(created, broker_config)
    return created


def _express(
    scope: Construct, stage: StageConfig, broker_config: ExpressKafka, placement: BrokerPlacement, key: kms.IKey
) -> msk.CfnCluster:
    """What standard brokers need a configuration for is fixed; with SCRAM, ACLs are to be set."""
    authorization = _authorization(stage)
    configuration = _configuration(scope, stage, broker_config, authorization) if authorization else None
    created = _provisioned(scope, stage, broker_config, placement, key)
    created.configuration_info = configuration
    return created


def _authorization(stage: StageConfig) -> dict[str, str]:
    """MSK documentation, "Apache Kafka ACLs": brokers are super users, so they need no ACL themselves."""
    if stage.kafka_auth == "iam":
        return {}
    return {"allow.everyone.if.no.acl.found": "false" if requires_acls(stage.kafka) else "true"}


def requires_acls(cluster_config: NewKafka | ExistingKafka) -> bool:
    """Whether users may do only what an ACL allows."""
    return isinstance(cluster_config, BrokerConfig) and cluster_config.requires_acls


def _configuration(
    scope: Construct, stage: StageConfig, broker_config: BrokerConfig, properties: dict[str, str]
) -> msk.CfnCluster.ConfigurationInfoProperty:
    # Without kafka_versions_list: the list cannot change, and an upgrade would need another one with the same name.
    configuration = msk.CfnConfiguration(
        scope,
        "Configuration",
        name=names.kafka_cluster(stage.name, broker_config.kind),
        server_properties="\n".join(f"{name}={value}" for name, value in properties.items()),
    )
    configuration.apply_removal_policy(removal(stage))  # a retained cluster needs it
    return msk.CfnCluster.ConfigurationInfoProperty(
        arn=configuration.attr_arn, revision=configuration.attr_latest_revision_revision
    )


def _nodes(broker_config: BrokerConfig, placement: BrokerPlacement) -> msk.CfnCluster.BrokerNodeGroupInfoProperty:
    storage = None
    if isinstance(broker_config, StandardKafka):
        volume = msk.CfnCluster.EBSStorageInfoProperty(volume_size=broker_config.storage_gib)
        storage = msk.CfnCluster.StorageInfoProperty(ebs_storage_info=volume)
    return msk.CfnCluster.BrokerNodeGroupInfoProperty(
        client_subnets=placement.subnets,
        instance_type=broker_config.instance,
        security_groups=[placement.security_group],
        storage_info=storage,
    )


def _provisioned(
    scope: Construct, stage: StageConfig, broker_config: BrokerConfig, placement: BrokerPlacement, key: kms.IKey
) -> msk.CfnCluster:
    kind = msk.CfnCluster
    logs = log_group(scope, "BrokerLogs", stage, key, group=f"/aws/vendedlogs/tandem/{stage.name}/brokers")
    return kind(
        scope,
        LOGICAL_IDS[broker_config.kind],
        cluster_name=names.kafka_cluster(stage.name, broker_config.kind),
        kafka_version=broker_config.version,
        number_of_broker_nodes=ZONES * broker_config.brokers_per_zone,
        broker_node_group_info=_nodes(broker_config, placement),
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
