"""The metrics of dashboards and alarms: our own, as functions/core/metrics.py defines them, and those of AWS.

Sources of AWS's names and dimensions: Amazon MSK developer guide, "Monitor an Amazon MSK Provisioned cluster" and
"Monitor MSK Serverless clusters"; AWS Lambda developer guide, "Types of metrics"; DynamoDB and SQS developer guides,
"Metrics and dimensions". The tests of the template list each one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk import names
from functions.core import metrics
from functions.core.metrics import MSK, NAMESPACE, WORKER, Metric
from functions.core.names import consumer_group, dead_letter_queue

FIVE_MINUTES: Final = 300


@dataclass(frozen=True, slots=True)
class PipelineMetrics:
    """The metrics of one pipeline in one stage. Statistics are CloudWatch's: Sum, Maximum, p99; `period` in seconds."""

    stage: str
    pipeline: str
    period: int = 60

    def own(self, metric: Metric, statistic: str, runtime: str) -> cloudwatch.Metric:
        """One of our metrics without labels, of one runtime. Raises ValueError for any other."""
        if metric.labels or runtime not in metric.runtimes:
            raise ValueError(
                f"{metric.name}: got {runtime} and {metric.labels}, expected one of {metric.runtimes} and no labels"
            )
        dimensions = metrics.dimensions(self.stage, self.pipeline, runtime)
        return self._metric(NAMESPACE, metric.name, dimensions, statistic, f"{runtime} {statistic}")

    def labelled(self, metric: Metric, statistic: str) -> cloudwatch.MathExpression:
        """One of our metrics for every runtime and label. Only for dashboards: alarms do not support searches."""
        schema = ",".join((NAMESPACE, *sorted(metric.dimensions)))
        where = f'MetricName="{metric.name}" stage="{self.stage}" pipeline="{self.pipeline}"'
        return self._expression(f"SEARCH('{{{schema}}} {where}', '{statistic}', {self.period})", {})

    def total(self, metric: Metric, **labels: str) -> cloudwatch.MathExpression:
        """The sum of one of our metrics over all runtimes and other labels. Alarms support Metrics Insights."""
        schema = ", ".join((NAMESPACE, *sorted(metric.dimensions)))
        equal = {"stage": self.stage, "pipeline": self.pipeline} | labels
        where = " AND ".join(f"{name} = '{value}'" for name, value in equal.items())
        return self._expression(f"SELECT SUM({metric.name}) FROM SCHEMA({schema}) WHERE {where}", {})  # noqa: S608 - CloudWatch's language, our own names

    def both(
        self, expression: str, metric: Metric, statistic: str, **more: cloudwatch.IMetric
    ) -> cloudwatch.MathExpression:
        """An expression over `msk` and `worker`, the same metric of each runtime, and over `more`."""
        by = {runtime: self.filled(runtime, self.own(metric, statistic, runtime)) for runtime in (MSK, WORKER)}
        return self._expression(expression, {**by, **more})

    def filled(self, name: str, metric: cloudwatch.Metric) -> cloudwatch.MathExpression:
        """The metric with 0 for missing data, as one runtime is mostly idle. `name` is its name in a formula."""
        return self._expression(f"FILL({name}_said, 0)", {f"{name}_said": metric})

    def lag(self, name: str, cluster: str, topic: str) -> cloudwatch.Metric:
        """MSK's lag of the consumer group on either runtime, from its commits, every minute, on every kind."""
        group = consumer_group(self.stage, self.pipeline)
        dimensions = {"Cluster Name": cluster, "Consumer Group": group, "Topic": topic}
        return self._metric("AWS/Kafka", name, dimensions, "Maximum", name)

    def function(self, name: str, statistic: str) -> cloudwatch.Metric:
        """One of Lambda's metrics of the function, over all versions."""
        function = names.function(self.stage, self.pipeline)
        return self._metric("AWS/Lambda", name, {"FunctionName": function}, statistic, f"{name} {statistic}")

    def pollers(self, statistic: str) -> cloudwatch.MathExpression:
        """Pollers of every mapping in provisioned mode, by search: a replaced mapping has another UUID."""
        search = f"SEARCH('{{AWS/Lambda,EventSourceMappingUUID}} MetricName=\"ProvisionedPollers\"', '{statistic}'"
        return self._expression(f"{search}, {self.period})", {})

    def table(self, name: str, table: str) -> cloudwatch.Metric:
        """One of DynamoDB's metrics of a table."""
        return self._metric("AWS/DynamoDB", name, {"TableName": table}, "Sum", table)

    def queue(self, name: str) -> cloudwatch.Metric:
        """One of SQS's metrics of the queue that announces dead letters."""
        queue = dead_letter_queue(self.stage)
        return self._metric("AWS/SQS", name, {"QueueName": queue}, "Maximum", name)

    def cluster(self, name: str, cluster: str) -> cloudwatch.Metric:
        """One of MSK's metrics of the whole cluster."""
        return self._metric("AWS/Kafka", name, {"Cluster Name": cluster}, "Maximum", name)

    def brokers(self, name: str, cluster: str) -> cloudwatch.MathExpression:
        """The maximum over all brokers, by Metrics Insights, because an alarm supports only ten metrics."""
        schema = 'SCHEMA("AWS/Kafka", "Broker ID", "Cluster Name")'
        query = f"SELECT MAX({name}) FROM {schema} WHERE \"Cluster Name\" = '{cluster}'"  # noqa: S608 - see above
        return self._expression(query, {})

    def expression(self, expression: str, label: str, **using: cloudwatch.IMetric) -> cloudwatch.MathExpression:
        """Metric math over `using`, with a label."""
        return self._expression(expression, using, label)

    def _metric(
        self, namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, label: str
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, label=label,
            period=Duration.seconds(self.period),
        )  # fmt: skip

    def _expression(
        self, expression: str, using: Mapping[str, cloudwatch.IMetric], label: str | None = None
    ) -> cloudwatch.MathExpression:
        period = Duration.seconds(self.period)
        return cloudwatch.MathExpression(expression=expression, using_metrics=using, label=label, period=period)
