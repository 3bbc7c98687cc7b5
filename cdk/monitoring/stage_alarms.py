"""The alarms of resources that a stage's pipelines share: the queue of dead letters, and the brokers."""

from collections.abc import Iterator
from typing import Final

from cdk.choices import StandardKafka
from cdk.config import StageConfig
from cdk.monitoring.alarm import Alarm
from cdk.monitoring.metrics import FIVE_MINUTES, PipelineMetrics

DAY_SECONDS: Final = 24 * 3600


def of_stage(stage: StageConfig, cluster: str) -> Iterator[Alarm]:
    """The alarms of a stage. Only standard brokers have disks and replicas that the stage must monitor."""
    pipeline_metrics = PipelineMetrics(stage.name, "", FIVE_MINUTES)
    yield Alarm(
        "dead-letter-queue-age",
        "Dead letters were announced more than a day ago and have not been handled.",
        pipeline_metrics.queue("ApproximateAgeOfOldestMessage"),
        above=DAY_SECONDS,  # leaves time to react before the queue's retention ends
        page="dead-letter-queue",
    )
    yield Alarm(
        "dead-letter-queue-depth",
        "More than 1,000 announced dead letters have not been handled.",
        pipeline_metrics.queue("ApproximateNumberOfMessagesVisible"),
        above=1000,  # too many to inspect one by one: a fault, not a few bad records
        page="dead-letter-queue",
    )
    if isinstance(stage.kafka, StandardKafka):
        yield from _cluster(stage.name, cluster)


def _cluster(stage: str, cluster: str) -> Iterator[Alarm]:
    pipeline_metrics = PipelineMetrics(stage, "")
    yield Alarm(
        "kafka-disk",
        "A broker's disk is more than 85% full.",
        pipeline_metrics.brokers("KafkaDataLogsDiskUsed", cluster),
        above=85,  # percent, as MSK recommends; storage should have grown before, so growth has failed
        breaching=15,
        periods=15,
    )
    yield Alarm(
        "kafka-offline-partitions",
        "Partitions have no leader: they can be neither written nor read.",
        pipeline_metrics.cluster("OfflinePartitionsCount", cluster),
        breaching=3,  # minutes; an election needs seconds
        periods=3,
    )
    yield Alarm(
        "kafka-under-min-isr",
        "Partitions have fewer than two replicas in sync: acks=all is refused.",
        pipeline_metrics.brokers("UnderMinIsrPartitionCount", cluster),
        breaching=5,  # minutes; one restarting broker leaves two, which is enough
        periods=5,
    )
