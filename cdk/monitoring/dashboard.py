"""A pipeline's dashboard, which shows both runtimes. Its first row shows whether it is healthy and keeps up."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk.choices import StandardKafka
from cdk.config import StageConfig
from cdk.monitoring.metrics import FIVE_MINUTES, PipelineMetrics
from functions.core import metrics, names
from functions.core.metrics import MSK, WORKER, Metric
from functions.core.pipeline import AnyPipeline

ROW_WIDTH: Final = 24
POLLERS_PER_UNIT: Final = 10  # Lambda documentation, "Provisioned mode": an event poller unit is 10 pollers

Row = Sequence[cloudwatch.IWidget]


class PipelineDashboard:
    """Builds the dashboard of one pipeline."""

    def __init__(self, stage: StageConfig, pipeline: AnyPipeline, cluster: str) -> None:
        self._stage, self._pipeline, self._cluster = stage, pipeline, cluster
        self._config = stage.pipeline_config(pipeline.name)
        self._minute = PipelineMetrics(stage.name, pipeline.name)
        self._metrics = PipelineMetrics(stage.name, pipeline.name, FIVE_MINUTES)

    def build(self, scope: Construct, alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.Dashboard:
        """Create the dashboard in a stack."""
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
            title=f"Is it healthy? {self._config.runtime} is enabled", alarms=alarms, width=6, height=6
        )
        lag = [self._minute.lag(name, self._cluster, self._pipeline.topic) for name in ("SumOffsetLag", "MaxOffsetLag")]
        age = self._each(self._minute, metrics.RECORD_AGE, "Maximum")
        return [
            status,
            _graph("Is it keeping up? Lag in records", lag, width=6),
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
        refused = [*self._both(metrics.FLOODS, "Sum"), self._metrics.own(metrics.STOPPED, "Maximum", WORKER)]
        repeats = [
            series
            for metric in (
                metrics.ALREADY_SETTLED,
                metrics.REPEATED,
                metrics.RETRIES,
                metrics.CONFLICTS,
                metrics.ROLL_FORWARDS,
            )
            for series in self._named(metric)
        ]
        return [
            _graph("Rejects by reason", [self._metrics.labelled(metrics.REJECTS, "Sum")], stacked=True),
            _graph("Floods; stopped partitions", refused),
            _graph("Gaps", self._both(metrics.GAPS, "Sum")),
            _graph("Already settled, repeated, retried, conflicts, adopted", repeats),
        ]

    def _function(self) -> Row:
        pipeline_metrics = self._metrics
        failures = [pipeline_metrics.function("Errors", "Sum"), pipeline_metrics.function("Throttles", "Sum")]
        duration = [pipeline_metrics.function("Duration", statistic) for statistic in ("p50", "p99", "Maximum")]
        row = [
            _graph("msk: invocations", [pipeline_metrics.function("Invocations", "Sum")]),
            _graph("msk: errors, throttles", failures),
            _graph("msk: duration, ms", duration),
            _graph("msk: concurrent executions", [pipeline_metrics.function("ConcurrentExecutions", "Maximum")]),
        ]
        if self._config.pollers:
            row.append(_graph("msk: pollers of this account's mappings", [pipeline_metrics.pollers("Maximum")]))
        return row

    def _worker(self) -> Row:
        pipeline_metrics = self._metrics
        shown = (metrics.ASSIGNED, metrics.OPENING, metrics.PAUSED)
        partitions = [pipeline_metrics.own(metric, "Average", WORKER) for metric in shown]
        return [
            _graph("worker: lag by partition", [self._minute.labelled(metrics.LAG, "Maximum")]),
            _graph("worker: bytes in flight", [pipeline_metrics.own(metrics.BYTES_IN_FLIGHT, "Maximum", WORKER)]),
            _graph("worker: partitions per pod, assigned, opening and paused", [*map(_renamed, partitions)]),
            _graph("worker: rebalances", [pipeline_metrics.labelled(metrics.REBALANCES, "Sum")]),
        ]

    def _cost(self) -> Row:
        pipeline_metrics, stage = self._metrics, self._stage.name
        gigabytes = f"duration / 1000 * {self._config.memory_mib} / 1024"
        tables = [names.ledger_table(stage), names.counters_table(stage)]
        tables += [names.rows_table(stage, table.name) for table in self._pipeline.tables]
        tables += [names.seen_table(stage)] if self._pipeline.dedup else []
        units = [pipeline_metrics.table("ConsumedWriteCapacityUnits", table) for table in tables]
        row = [
            _graph(
                "Cost: Lambda, GB-s",
                [pipeline_metrics.expression(gigabytes, "GB-s", duration=pipeline_metrics.function("Duration", "Sum"))],
            ),
            _graph("Cost: DynamoDB, write units", units, stacked=True),
            _graph("Cost: S3, objects put (at most one a slice)", self._both(metrics.SLICE_RECORDS, "SampleCount")),
            _graph("Bytes of records", self._both(metrics.SLICE_BYTES, "Sum"), stacked=True),
        ]
        if self._config.pollers:
            units_of = pipeline_metrics.expression(
                f"CEIL(pollers / {POLLERS_PER_UNIT})", "EPU", pollers=pipeline_metrics.pollers("Maximum")
            )
            row.append(_graph("Cost: event poller units", [units_of]))
        return row

    def _brokers(self) -> Row:
        pipeline_metrics = self._metrics
        return [
            _graph("Brokers: fullest disk, %", [pipeline_metrics.brokers("KafkaDataLogsDiskUsed", self._cluster)]),
            _graph("Brokers: busiest CPU, % of user", [pipeline_metrics.brokers("CpuUser", self._cluster)]),
            _graph("Brokers: under min ISR", [pipeline_metrics.brokers("UnderMinIsrPartitionCount", self._cluster)]),
            _graph("Offline partitions", [pipeline_metrics.cluster("OfflinePartitionsCount", self._cluster)]),
        ]

    def _both(self, metric: Metric, statistic: str) -> list[cloudwatch.IMetric]:
        return self._each(self._metrics, metric, statistic)

    def _each(self, pipeline_metrics: PipelineMetrics, metric: Metric, statistic: str) -> list[cloudwatch.IMetric]:
        return [pipeline_metrics.own(metric, statistic, runtime) for runtime in (MSK, WORKER)]

    def _named(self, metric: Metric) -> list[cloudwatch.IMetric]:
        return [_renamed(self._metrics.own(metric, "Sum", runtime), f"{runtime} ") for runtime in (MSK, WORKER)]


def _renamed(metric: cloudwatch.Metric, prefix: str = "") -> cloudwatch.Metric:
    return metric.with_(label=f"{prefix}{metric.metric_name}")


def _graph(
    title: str, series: Sequence[cloudwatch.IMetric], *, width: int = ROW_WIDTH // 4, stacked: bool = False
) -> cloudwatch.GraphWidget:
    axis = cloudwatch.YAxisProps(min=0, show_units=False)
    return cloudwatch.GraphWidget(title=title, left=series, left_y_axis=axis, width=width, height=6, stacked=stacked)
