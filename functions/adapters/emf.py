"""The vocabulary as CloudWatch metrics, by Powertools in the embedded metric format: one document per set of labels."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from functions.telemetry import NAMESPACE, Kind, Metric, Sample

UNITS: Final = {Kind.COUNTER: MetricUnit.Count, Kind.GAUGE: MetricUnit.Count, Kind.DURATION: MetricUnit.Seconds}


def flush(pipeline: str, samples: Iterable[Sample]) -> None:
    """Write all samples to standard output, counters summed."""
    documents: dict[tuple[tuple[str, str], ...], dict[Metric, list[float]]] = defaultdict(lambda: defaultdict(list))
    for metric, value, labels in samples:
        values = documents[tuple(zip(metric.labels, labels, strict=True))][metric]
        if metric.kind is Kind.COUNTER and values:
            values[0] += value
        else:
            values.append(value)
    for dimensions, metrics in documents.items():
        _write(pipeline, dimensions, metrics)


def _write(pipeline: str, dimensions: tuple[tuple[str, str], ...], metrics: dict[Metric, list[float]]) -> None:
    document = EphemeralMetrics(namespace=NAMESPACE)
    document.service = ""  # whatever POWERTOOLS_SERVICE_NAME says: alarms name exactly these dimensions
    document.add_dimension("pipeline", pipeline)
    for name, value in dimensions:
        document.add_dimension(name, value)
    for metric, values in metrics.items():
        for each in values:
            document.add_metric(metric.name, UNITS[metric.kind], each)
    if document.metric_set:  # it writes by itself whenever 100 values are there
        document.flush_metrics()
