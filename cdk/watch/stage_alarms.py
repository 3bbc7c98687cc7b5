"""The alarms of what all pipelines of a stage share: the queue of dead letters, and the brokers."""

from collections.abc import Iterator
from typing import Final

from cdk.choices import StandardKafka
from cdk.config import StageConfig
from cdk.watch.alarm import Alarm
from cdk.watch.metrics import FIVE_MINUTES, Lens

DAY: Final = 24 * 3600


def of_stage(stage: StageConfig, cluster: str) -> Iterator[Alarm]:
    """Serverless and Express have neither disks nor replicas to look after; a given cluster has its own keeper."""
    look = Lens(stage.name, "", FIVE_MINUTES)
    yield Alarm(
        "dead-letter-queue-age",
        "Dead letters were announced more than a day ago, and nobody has looked.",
        look.queue("ApproximateAgeOfOldestMessage"),
        above=DAY,  # a working day's notice, well before the queue's retention ends
        page="dead-letter-queue",
    )
    yield Alarm(
        "dead-letter-queue-depth",
        "More than 1,000 dead letters are announced and not looked at.",
        look.queue("ApproximateNumberOfMessagesVisible"),
        above=1000,  # more than anybody reads one by one: a fault, not a few odd records
        page="dead-letter-queue",
    )
    if isinstance(stage.kafka, StandardKafka):
        yield from _cluster(stage.name, cluster)


def _cluster(stage: str, cluster: str) -> Iterator[Alarm]:
    look = Lens(stage, "")
    yield Alarm(
        "kafka-disk",
        "A broker's disk is more than 85% full.",
        look.brokers("KafkaDataLogsDiskUsed", cluster),
        above=85,  # percent, MSK's own advice; the disk grows by itself before, so it does not any more
        least=15,
        of=15,
    )
    yield Alarm(
        "kafka-offline-partitions",
        "Partitions have no leader: nobody can write or read them.",
        look.cluster("OfflinePartitionsCount", cluster),
        least=3,  # minutes; an election takes seconds
        of=3,
    )
    yield Alarm(
        "kafka-under-min-isr",
        "Partitions have fewer than two replicas in sync: acks=all is refused.",
        look.brokers("UnderMinIsrPartitionCount", cluster),
        least=5,  # minutes; one broker that restarts leaves two, which is enough
        of=5,
    )
