"""Lambda's metrics in CloudWatch's embedded metric format, by Powertools: one document per set of labels."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics

from functions.core.metrics import NAMESPACE, Metric, MetricKind
from functions.telemetry import Sample


def flush(dimensions: Mapping[str, str], samples: Iterable[Sample]) -> None:
    """Write all samples to standard output, with counters summed. `dimensions` are common to all metrics."""
    documents: dict[tuple[tuple[str, str], ...], dict[Metric, list[float]]] = defaultdict(lambda: defaultdict(list))
    for metric, value, labels in samples:
        values = documents[tuple(zip(metric.labels, labels, strict=True))][metric]
        if metric.kind is MetricKind.COUNTER and values:
            values[0] += value
        else:
            values.append(value)
    for labels_of, metrics in documents.items():
        _write({**dimensions, **dict(labels_of)}, metrics)


def _write(dimensions: Mapping[str, str], metrics: Mapping[Metric, list[float]]) -> None:
    document = EphemeralMetrics(namespace=NAMESPACE)
    document.service = ""  # overrides POWERTOOLS_SERVICE_NAME, because alarms name exactly these dimensions
    for name, dimension in dimensions.items():
        document.add_dimension(name, dimension)
    for metric, values in metrics.items():
        for value in values:
            document.add_metric(metric.name, metric.unit.value, value)
    if document.metric_set:  # empty if it has just written 100 values without a flush
        document.flush_metrics()
