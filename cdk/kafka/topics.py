"""The topics of the pipelines: their declared configuration, and the resources that create them."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aws_cdk import RemovalPolicy
from aws_cdk import aws_msk as msk
from constructs import Construct

from cdk.errors import InvalidConfig
from functions.core.pipeline import AnyPipeline
from functions.core.topic_config import REPLICAS, TopicConfig


def declared(pipelines: Sequence[AnyPipeline]) -> dict[str, TopicConfig]:
    """Every topic that is read or written, by name. InvalidConfig if two declarations of one topic differ."""
    declarations: dict[str, tuple[str, TopicConfig]] = {}
    for name, place, config in _declarations(pipelines):
        first, agreed = declarations.setdefault(name, (place, config))
        if config != agreed:
            raise InvalidConfig(
                f"topic {name!r}: got {agreed} from {first} and {config} from {place}, expected one layout"
            )
    return {name: config for name, (_, config) in sorted(declarations.items())}


def _declarations(pipelines: Sequence[AnyPipeline]) -> Iterator[tuple[str, str, TopicConfig]]:
    for pipeline in pipelines:
        yield pipeline.topic, f"pipeline {pipeline.name!r} topic_config", pipeline.topic_config
        for sink in pipeline.topics:
            yield sink.name, f"pipeline {pipeline.name!r} sink {sink.name!r} config", sink.config


@dataclass(frozen=True, slots=True)
class Brokers:
    """What a cluster's brokers let topics set. On Express brokers min.insync.replicas is always 2."""

    express: bool = False
    tiered: bool = False


def settings(config: TopicConfig, brokers: Brokers) -> dict[str, str]:
    """The topic's settings in Kafka's names and units."""
    found = {"retention.ms": _milliseconds(config.retention_hours)}
    if not brokers.express:
        found["min.insync.replicas"] = str(config.min_insync_replicas)
    if brokers.tiered and config.local_retention_hours is not None:
        found |= {"remote.storage.enable": "true", "local.retention.ms": _milliseconds(config.local_retention_hours)}
    return found


def _milliseconds(hours: int) -> str:
    return str(hours * 60 * 60 * 1000)


def describe(name: str, config: TopicConfig) -> str:
    """One line, such as: user-login partitions=12 retention.ms=604800000 min.insync.replicas=2."""
    values = {"partitions": config.partitions, **settings(config, Brokers())}
    return " ".join([name, *(f"{key}={value}" for key, value in values.items())])


def create(
    scope: Construct, cluster_arn: str, topics: Mapping[str, TopicConfig], brokers: Brokers
) -> Sequence[msk.CfnTopic]:
    """Create the topics, one after another. They are retained when a pipeline is removed, and so are their records.

    `Configs` is Base64 of a JSON object of strings, as MSK's API sends and accepts it (terraform-provider-aws #46490);
    the documentation shows lines only in one example. MSK changes a cluster by one operation at a time.
    """
    created = [
        msk.CfnTopic(
            scope,
            f"Topic-{name}",
            cluster_arn=cluster_arn,
            topic_name=name,
            partition_count=config.partitions,
            replication_factor=REPLICAS,
            configs=b64encode(json.dumps(settings(config, brokers)).encode()).decode(),
        )
        for name, config in topics.items()
    ]
    for topic in created:
        topic.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    for before, after in pairwise(created):
        after.node.add_dependency(before)
    return created
