"""A pipeline's dashboard, both runtimes side by side. Its first row says whether it is healthy and keeps up."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk.choices import StandardKafka
from cdk.config import StageConfig
from cdk.watch.metrics import FIVE_MINUTES, Lens
from functions.core import metrics, names
from functions.core.metrics import MSK, WORKER, Metric
from functions.core.pipeline import AnyPipeline

WIDTH: Final = 24  # of a row
POLLERS_A_UNIT: Final = 10  # Lambda documentation, "Provisioned mode": an event poller unit is 10 pollers

Row = Sequence[cloudwatch.IWidget]


class PipelineDashboard:
    """The rows of one pipeline's dashboard."""

    def __init__(self, stage: StageConfig, pipeline: AnyPipeline, cluster: str) -> None:
        self._stage, self._pipeline, self._cluster = stage, pipeline, cluster
        self._run = stage.run(pipeline.name)
        self._minute, self._look = Lens(stage.name, pipeline.name), Lens(stage.name, pipeline.name, FIVE_MINUTES)

    def build(self, scope: Construct, alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.Dashboard:
        """Put it into a stack."""
        rows = [self._health(alarms), self._settling(), self._rejects(), self._function(), self._worker(), self._cost()]
        if isinstance(self._stage.kafka, StandardKafka):
            rows.append(self._brokers())
        return cloudwatch.Dashboard(
            scope,
            f"Dashboard-{self._pipeline.name}",
            dashboard_name=f"tandem-{self._stage.name}-{self._pipeline.name}",
            default_interval=Duration.hours(3),
            widgets=rows,
        )

    def _health(self, alarms: Sequence[cloudwatch.IAlarm]) -> Row:
        status = cloudwatch.AlarmStatusWidget(
            title=f"Is it healthy? {self._run.runtime} is enabled", alarms=alarms, width=6, height=6
        )
        lag = [self._minute.lag(name, self._cluster, self._pipeline.topic) for name in ("SumOffsetLag", "MaxOffsetLag")]
        age = self._each(self._minute, metrics.RECORD_AGE, "Maximum")
        return [
            status,
            _graph("Is it keeping up? Records behind", lag, width=6),
            _graph("Age of the oldest record, s", age, width=6),
            _graph("Records settled a minute", self._each(self._minute, metrics.RECORDS, "Sum"), width=6, stacked=True),
        ]

    def _settling(self) -> Row:
        seconds = [*self._both(metrics.SETTLE_SECONDS, "p50"), *self._both(metrics.SETTLE_SECONDS, "p99")]
        return [
            _graph("Rows", self._both(metrics.ROWS, "Sum"), stacked=True),
            _graph("Time to settle a slice, s", seconds),
            _graph("Records in a slice", self._both(metrics.SLICE_RECORDS, "Average")),
            _graph("Last settled, Unix s", self._both(metrics.LAST_SETTLED, "Maximum")),
        ]

    def _rejects(self) -> Row:
        refused = [*self._both(metrics.FLOODS, "Sum"), self._look.own(metrics.STOPPED, "Maximum", WORKER)]
        again = [
            each
            for metric in (metrics.ALREADY, metrics.RETRIES, metrics.CONFLICTS, metrics.ROLL_FORWARDS)
            for each in self._named(metric)
        ]
        return [
            _graph("Rejects by reason", [self._look.labelled(metrics.REJECTS, "Sum")], stacked=True),
            _graph("Floods; stopped partitions", refused),
            _graph("Gaps", self._both(metrics.GAPS, "Sum")),
            _graph("Come again, retried, adopted", again),
        ]

    def _function(self) -> Row:
        look = self._look
        failures = [look.function("Errors", "Sum"), look.function("Throttles", "Sum")]
        duration = [look.function("Duration", statistic) for statistic in ("p50", "p99", "Maximum")]
        row = [
            _graph("msk: invocations", [look.function("Invocations", "Sum")]),
            _graph("msk: errors, throttles", failures),
            _graph("msk: duration, ms", duration),
            _graph("msk: at the same time", [look.function("ConcurrentExecutions", "Maximum")]),
        ]
        if self._run.pollers:
            row.append(_graph("msk: pollers of this account's mappings", [look.pollers("Maximum")]))
        return row

    def _worker(self) -> Row:
        look = self._look
        partitions = [look.own(metric, "Average", WORKER) for metric in (metrics.ASSIGNED, metrics.PAUSED)]
        return [
            _graph("worker: lag by partition", [self._minute.labelled(metrics.LAG, "Maximum")]),
            _graph("worker: bytes in flight", [look.own(metrics.BYTES_IN_FLIGHT, "Maximum", WORKER)]),
            _graph("worker: partitions of one, assigned and paused", [*map(_renamed, partitions)]),
            _graph("worker: rebalances", [look.labelled(metrics.REBALANCES, "Sum")]),
        ]

    def _cost(self) -> Row:
        look, stage = self._look, self._stage.name
        gigabytes = f"duration / 1000 * {self._run.memory_mib} / 1024"
        tables = [names.ledger_table(stage), names.counters_table(stage)]
        tables += [names.rows_table(stage, table.name) for table in self._pipeline.tables]
        units = [look.table("ConsumedWriteCapacityUnits", table) for table in tables]
        row = [
            _graph(
                "Cost: Lambda, GB-s",
                [look.expression(gigabytes, "GB-s", duration=look.function("Duration", "Sum"))],
            ),
            _graph("Cost: DynamoDB, write units", units, stacked=True),
            _graph("Cost: S3, objects put (at most one a slice)", self._both(metrics.SLICE_RECORDS, "SampleCount")),
            _graph("Bytes of records", self._both(metrics.SLICE_BYTES, "Sum"), stacked=True),
        ]
        if self._run.pollers:
            units_of = look.expression(f"CEIL(pollers / {POLLERS_A_UNIT})", "EPU", pollers=look.pollers("Maximum"))
            row.append(_graph("Cost: event poller units", [units_of]))
        return row

    def _brokers(self) -> Row:
        look = self._look
        return [
            _graph("Brokers: fullest disk, %", [look.brokers("KafkaDataLogsDiskUsed", self._cluster)]),
            _graph("Brokers: busiest CPU, % of user", [look.brokers("CpuUser", self._cluster)]),
            _graph("Brokers: under min ISR", [look.brokers("UnderMinIsrPartitionCount", self._cluster)]),
            _graph("Offline partitions", [look.cluster("OfflinePartitionsCount", self._cluster)]),
        ]

    def _both(self, metric: Metric, statistic: str) -> list[cloudwatch.IMetric]:
        return self._each(self._look, metric, statistic)

    def _each(self, look: Lens, metric: Metric, statistic: str) -> list[cloudwatch.IMetric]:
        return [look.own(metric, statistic, runtime) for runtime in (MSK, WORKER)]

    def _named(self, metric: Metric) -> list[cloudwatch.IMetric]:
        return [_renamed(self._look.own(metric, "Sum", runtime), f"{runtime} ") for runtime in (MSK, WORKER)]


def _renamed(metric: cloudwatch.Metric, prefix: str = "") -> cloudwatch.Metric:
    return metric.with_(label=f"{prefix}{metric.metric_name}")


def _graph(
    title: str, series: Sequence[cloudwatch.IMetric], *, width: int = WIDTH // 4, stacked: bool = False
) -> cloudwatch.GraphWidget:
    axis = cloudwatch.YAxisProps(min=0, show_units=False)
    return cloudwatch.GraphWidget(title=title, left=series, left_y_axis=axis, width=width, height=6, stacked=stacked)
