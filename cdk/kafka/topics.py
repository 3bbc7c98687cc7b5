"""The topics of the pipelines: what their declarations ask for, and the resources that make them."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_msk as msk
from constructs import Construct

from cdk.errors import InvalidConfig
from functions.core.pipeline import AnyPipeline
from functions.core.topic_config import REPLICAS, TopicConfig


def declared(pipelines: Sequence[AnyPipeline]) -> dict[str, TopicConfig]:
    """Every topic that is read or written, by name. InvalidConfig where two declarations of one topic disagree."""
    found: dict[str, tuple[str, TopicConfig]] = {}
    for name, place, config in _declarations(pipelines):
        first, agreed = found.setdefault(name, (place, config))
        if config != agreed:
            raise InvalidConfig(f"topic {name!r}: takes one layout, got {agreed} from {first}, {config} from {place}")
    return {name: config for name, (_, config) in sorted(found.items())}


def _declarations(pipelines: Sequence[AnyPipeline]) -> Iterator[tuple[str, str, TopicConfig]]:
    for pipeline in pipelines:
        yield pipeline.topic, f"pipeline {pipeline.name!r} topic_config", pipeline.topic_config
        for sink in pipeline.topics:
            yield sink.name, f"pipeline {pipeline.name!r} sink {sink.name!r} config", sink.config


def settings(config: TopicConfig, *, express: bool) -> dict[str, int]:
    """Kafka's names and units. Express brokers fix min.insync.replicas at 2 and refuse to be told."""
    retention = {"retention.ms": config.retention_hours * 60 * 60 * 1000}
    return retention if express else {**retention, "min.insync.replicas": config.min_insync_replicas}


def described(name: str, config: TopicConfig) -> str:
    """For people: user-login partitions=12 retention.ms=604800000 min.insync.replicas=2."""
    values = {"partitions": config.partitions, **settings(config, express=False)}
    return " ".join([name, *(f"{key}={value}" for key, value in values.items())])


def create(scope: Construct, cluster_arn: str, topics: Mapping[str, TopicConfig], *, express: bool) -> None:
    """The topics as resources. They outlive their declaration: taking a pipeline away must not take its records away.

    MSK documentation, "Describe a topic using the Amazon CLI": `configs` is Base64 of lines like retention.ms=1.
    """
    for name, config in topics.items():
        lines = "\n".join(f"{key}={value}" for key, value in settings(config, express=express).items())
        topic = msk.CfnTopic(
            scope,
            f"Topic-{name}",
            cluster_arn=cluster_arn,
            topic_name=name,
            partition_count=config.partitions,
            replication_factor=REPLICAS,
            configs=b64encode(lines.encode()).decode(),
        )
        topic.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
