"""A pipeline's alarms. Both runtimes: whichever is enabled, the same alarms speak."""

from collections.abc import Iterator
from typing import Final

from cdk.config import StageConfig
from cdk.watch.alarm import Alarm
from cdk.watch.metrics import FIVE_MINUTES, Lens
from functions.core.metrics import CONFLICTS, FLOODS, GAPS, MSK, RECORD_AGE, RECORDS, REJECTS, STOPPED, STOPS, WORKER
from functions.core.pipeline import AnyPipeline

SUM: Final = "SUM([msk, worker])"
AN_HOUR: Final = 12  # periods of five minutes


def of_pipeline(stage: StageConfig, pipeline: AnyPipeline, cluster: str) -> Iterator[Alarm]:
    """In the order of the dashboard."""
    look = Lens(stage.name, pipeline.name, FIVE_MINUTES)
    yield from _progress(look, pipeline, cluster)
    yield from _records(look)
    yield from _function(look)


def _progress(look: Lens, pipeline: AnyPipeline, cluster: str) -> Iterator[Alarm]:
    lag = look.lag("SumOffsetLag", cluster, pipeline.topic)
    nothing = look.expression("lag * 0", "nothing", lag=lag)  # a 0 that is there even if FILL has nothing to go by
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
        look.both(
            f"IF(lag > {pipeline.topic_config.partitions} AND SUM([nothing, msk, worker]) == 0, 1, 0)",
            RECORDS,
            "Sum",
            lag=lag,
            nothing=nothing,
        ),
        least=3,  # a function runs for up to 14 minutes, and on-demand pollers follow within 3
        of=3,
    )
    yield Alarm(
        "record-age",
        "The oldest record that waits is older than 10 minutes.",
        look.both("MAX([msk, worker])", RECORD_AGE, "Maximum"),
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
            SUM,
            "stopped",
            msk=look.filled("msk", look.own(STOPS, "Sum", MSK)),
            worker=look.filled("worker", look.own(STOPPED, "Maximum", WORKER)),
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
        "The function fails again and again: its batch does not settle.",
        look.function("Errors", "Sum"),
        least=3,  # one that fails comes again and mostly settles
        of=6,  # it may take its whole timeout to fail
    )
    yield Alarm(
        "function-throttles",
        "Lambda has refused to run the function for 15 minutes: no concurrency is free.",
        look.function("Throttles", "Sum"),
        least=3,  # a burst's first minutes may meet the limit
        of=3,
    )
