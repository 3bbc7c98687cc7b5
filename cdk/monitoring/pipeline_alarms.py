"""The alarms of a pipeline. They cover both runtimes, so they hold whichever is enabled."""

from collections.abc import Iterator
from typing import Final

from cdk.config import StageConfig
from cdk.monitoring.alarm import Alarm
from cdk.monitoring.metrics import FIVE_MINUTES, PipelineMetrics
from functions.core import names
from functions.core.dead_letter import Reason
from functions.core.metrics import CONFLICTS, FLOODS, GAPS, MSK, RECORD_AGE, RECORDS, REJECTS, STOPPED, STOPS, WORKER
from functions.core.pipeline import AnyPipeline

SUM: Final = "SUM([msk, worker])"
NEAR_TIMEOUT: Final = 0.8
PERIODS_PER_HOUR: Final = 12  # periods of five minutes


def of_pipeline(stage: StageConfig, pipeline: AnyPipeline, cluster: str) -> Iterator[Alarm]:
    """The alarms of a pipeline, in the order of the dashboard."""
    pipeline_metrics = PipelineMetrics(stage.name, pipeline.name, FIVE_MINUTES)
    yield from _progress(pipeline_metrics, pipeline, cluster)
    yield from _records(pipeline_metrics)
    yield from _function(pipeline_metrics, stage.pipeline_config(pipeline.name).timeout_seconds)
    yield _tables(pipeline_metrics, stage.name, pipeline)


def _progress(pipeline_metrics: PipelineMetrics, pipeline: AnyPipeline, cluster: str) -> Iterator[Alarm]:
    lag = pipeline_metrics.lag("SumOffsetLag", cluster, pipeline.topic)
    nothing = pipeline_metrics.expression(
        "lag * 0", "nothing", lag=lag
    )  # a 0 for each point of lag, even if FILL has no data at all
    yield Alarm(
        "lag-growing",
        "Records arrive faster than they are settled.",
        # The lag exceeds a minute of work and grows. If nothing is settled at all, no-progress is raised instead.
        pipeline_metrics.both(f"IF(lag > {SUM} / 5 AND DIFF(lag) > 0 AND {SUM} > 0, 1, 0)", RECORDS, "Sum", lag=lag),
        breaching=4,  # in 30 minutes: by then added pollers and pods have not been enough
        periods=6,
    )
    yield Alarm(
        "no-progress",
        "Records are waiting, and the ledger does not advance.",
        # A transaction's marker at the end of a partition counts as lag, but is not a record.
        pipeline_metrics.both(
            f"IF(lag > {pipeline.topic_config.partitions} AND SUM([nothing, msk, worker]) == 0, 1, 0)",
            RECORDS,
            "Sum",
            lag=lag,
            nothing=nothing,
        ),
        breaching=3,  # a function runs for up to 14 minutes, and on-demand pollers scale within 3
        periods=3,
    )
    yield Alarm(
        "record-age",
        "The oldest waiting record is older than 10 minutes.",
        pipeline_metrics.both("MAX([msk, worker])", RECORD_AGE, "Maximum"),
        above=600,  # seconds; batching and settling need seconds, a handover a minute or two
        breaching=3,
        periods=3,
    )


def _records(pipeline_metrics: PipelineMetrics) -> Iterator[Alarm]:
    yield Alarm(
        "rejects",
        "More than 20 records became dead letters within 5 minutes.",
        pipeline_metrics.total(REJECTS),
        above=20,  # fewer are single bad records; the queue's age alarm covers them
    )
    yield Alarm(
        "lethal",
        "Records ended the processes that settled them, and became dead letters.",
        pipeline_metrics.total(REJECTS, reason=Reason.LETHAL.value),  # each has cost up to six restarts
    )
    yield Alarm(
        "flood",
        "Most records are rejects: slices were refused, so that the topic does not drain into the dead letters.",
        pipeline_metrics.both(SUM, FLOODS, "Sum"),
        periods=PERIODS_PER_HOUR,  # a worker counts a flood only once, so the alarm stays for an hour
    )
    yield Alarm(
        "stopped",
        "Partitions are stopped until an operator intervenes.",
        # A function counts a stop at every attempt, a worker once. The worker also reports how many are stopped.
        pipeline_metrics.expression(
            SUM,
            "stopped",
            msk=pipeline_metrics.filled("msk", pipeline_metrics.own(STOPS, "Sum", MSK)),
            worker=pipeline_metrics.filled("worker", pipeline_metrics.own(STOPPED, "Maximum", WORKER)),
        ),
        breaching=2,  # a restarted pod needs a moment to detect the stop again
        periods=2,
    )
    yield Alarm(
        "gaps",
        "Offsets were passed without their records: given up, expired, or never present.",
        pipeline_metrics.both(SUM, GAPS, "Sum"),
        periods=PERIODS_PER_HOUR,  # each can mean lost records and is counted once
    )
    yield Alarm(
        "ledger-conflicts",
        "Two writers repeatedly settle the same partitions.",
        pipeline_metrics.both(SUM, CONFLICTS, "Sum"),
        above=10,  # a handover or a rebalance causes a few, once
        breaching=3,
        periods=3,
    )


def _function(pipeline_metrics: PipelineMetrics, timeout_seconds: int) -> Iterator[Alarm]:
    yield Alarm(
        "function-errors",
        "The function fails repeatedly: its batch does not settle.",
        pipeline_metrics.function("Errors", "Sum"),
        breaching=3,  # a failed batch is retried, and mostly settles then
        periods=6,  # a failure can last for the whole timeout
    )
    yield Alarm(
        "function-throttles",
        "Lambda has refused to run the function for 15 minutes: no concurrency is free.",
        pipeline_metrics.function("Throttles", "Sum"),
        breaching=3,  # the first minutes of a burst can reach the limit
        periods=3,
    )
    yield Alarm(
        "function-duration",
        "Invocations need more than four fifths of their time-out: slower stores would make them fail.",
        pipeline_metrics.function("Duration", "Maximum"),
        above=timeout_seconds * 1000 * NEAR_TIMEOUT,  # milliseconds
        breaching=3,  # one slow batch is retried from where it was
        periods=3,
    )


def _tables(pipeline_metrics: PipelineMetrics, stage: str, pipeline: AnyPipeline) -> Alarm:
    """On demand, DynamoDB throttles a table that doubles its traffic within half an hour, and a single hot key."""
    tables = [names.ledger_table(stage), *(names.rows_table(stage, sink.name) for sink in pipeline.tables)]
    if pipeline.counters:
        tables.append(names.counters_table(stage))
    if pipeline.dedup:
        tables.append(names.seen_table(stage))
    events = {
        f"table{number}": pipeline_metrics.filled(
            f"table{number}", pipeline_metrics.table("WriteThrottleEvents", table)
        )
        for number, table in enumerate(tables)
    }
    return Alarm(
        "table-throttles",
        "DynamoDB has refused writes of the pipeline's tables for 15 minutes.",
        pipeline_metrics.expression(f"SUM([{', '.join(events)}])", "refused writes", **events),
        breaching=3,  # adapters retry what DynamoDB refuses, and it adapts within minutes
        periods=3,
    )
