"""The alarms: what to look at, from when on it hurts, and why then. Each has a page in docs/runbooks.

Laws: what mends itself never alarms, so everything has to last; no data is no alarm, because a runtime that rests says
nothing, and a topic without records neither. What must not be silent then is measured at the brokers: the lag.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.config import StageConfig, StandardKafka
from cdk.metrics import FIVE_MINUTES, Lens
from functions.core.metrics import CONFLICTS, FLOODS, GAPS, RECORD_AGE, RECORDS, REJECTS, STOPPED, STOPS, WORKER
from functions.core.pipeline import AnyPipeline

SUM: Final = "(FILL(msk, 0) + FILL(worker, 0))"
AN_HOUR: Final = 12  # periods of five minutes
DAY: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Alarm:
    """`metric` above `above` in `least` of the last `of` periods. `says` is for whoever is woken by it."""

    name: str
    says: str
    metric: cloudwatch.IMetric
    above: float = 0
    least: int = 1
    of: int = 1
    page: str = ""

    @property
    def runbook(self) -> str:
        """Its page in docs/runbooks."""
        return f"{self.page or self.name}.md"


def of_pipeline(stage: StageConfig, pipeline: AnyPipeline, cluster: str) -> Iterator[Alarm]:
    """Both runtimes: whichever is enabled, the same alarms speak."""
    look = Lens(stage.name, pipeline.name, FIVE_MINUTES)
    yield from _progress(look, pipeline, cluster)
    yield from _records(look)
    yield from _function(look)


def of_stage(stage: StageConfig, cluster: str) -> Iterator[Alarm]:
    """What all pipelines share. Serverless and Express have neither disks nor replicas that anybody looks after."""
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


def _progress(look: Lens, pipeline: AnyPipeline, cluster: str) -> Iterator[Alarm]:
    lag = look.lag("SumOffsetLag", cluster, pipeline.topic)
    yield Alarm(
        "lag-growing",
        "More records come than are settled.",
        # More than a minute of work behind, and growing. Where nothing is settled at all, no-progress speaks.
        look.both(f"IF(lag > {SUM} / 5 AND DIFF(lag) > 0 AND {SUM} > 0, 1, 0)", RECORDS, "Sum", lag=lag),
        least=4,  # in 30 minutes: pollers and pods have been added long before, and did not help
        of=6,
    )
    yield Alarm(
        "no-progress",
        "Records wait, and the ledger does not advance.",
        # A transaction's marker at a partition's end counts as lag and is never a record.
        look.both(f"IF(lag > {pipeline.topic_config.partitions} AND {SUM} == 0, 1, 0)", RECORDS, "Sum", lag=lag),
        least=3,  # a function runs for up to 14 minutes, and on-demand pollers follow within 3
        of=3,
    )
    yield Alarm(
        "record-age",
        "The oldest record that waits is older than 10 minutes.",
        look.both("MAX([FILL(msk, 0), FILL(worker, 0)])", RECORD_AGE, "Maximum"),
        above=600,  # seconds; gathering and settling take seconds, a handover a minute or two
        least=3,
        of=3,
    )


def _records(look: Lens) -> Iterator[Alarm]:
    yield Alarm(
        "rejects",
        "More than 20 records became dead letters within 5 minutes.",
        look.total(REJECTS),
        above=20,  # fewer are odd records, and wait in the queue for a day
    )
    yield Alarm(
        "flood",
        "Most records are rejects: slices were refused before they drain into the dead letters.",
        look.both(SUM, FLOODS, "Sum"),
        of=AN_HOUR,  # a worker counts a flood once, so let it be seen
    )
    yield Alarm(
        "stopped",
        "Partitions are stopped until a person has looked.",
        # A function says so with every try, a worker once; but the worker also says how many are stopped.
        look.expression(
            "FILL(stops, 0) + FILL(stopped, 0)",
            "stopped",
            stops=look.own(STOPS, "Sum", "msk"),
            stopped=look.own(STOPPED, "Maximum", WORKER),
        ),
        least=2,  # a pod that has just been restarted finds out again
        of=2,
    )
    yield Alarm(
        "gaps",
        "Offsets were passed without their records: given up on, expired, or never there.",
        look.both(SUM, GAPS, "Sum"),
        of=AN_HOUR,  # each one may be lost records, and says so once
    )
    yield Alarm(
        "ledger-conflicts",
        "Two writers settle the same partitions again and again.",
        look.both(SUM, CONFLICTS, "Sum"),
        above=10,  # a handover or a rebalance makes a few, once
        least=3,
        of=3,
    )


def _function(look: Lens) -> Iterator[Alarm]:
    yield Alarm(
        "function-errors",
        "The function has failed for 15 minutes: its batch comes again and again.",
        look.function("Errors", "Sum"),
        least=3,  # one that fails comes again and mostly settles
        of=3,
    )
    yield Alarm(
        "function-throttles",
        "Lambda has refused to run the function for 15 minutes: no concurrency is free.",
        look.function("Throttles", "Sum"),
        least=3,  # a burst's first minutes may meet the limit
        of=3,
    )


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
