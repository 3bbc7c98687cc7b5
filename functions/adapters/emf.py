"""The vocabulary as CloudWatch metrics, by Powertools in the embedded metric format: one document per set of labels."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics

from functions.core.metrics import NAMESPACE, Kind, Metric
from functions.telemetry import Sample


def flush(dimensions: Mapping[str, str], samples: Iterable[Sample]) -> None:
    """Write all samples to standard output, counters summed. `dimensions` are those that every metric has."""
    documents: dict[tuple[tuple[str, str], ...], dict[Metric, list[float]]] = defaultdict(lambda: defaultdict(list))
    for metric, value, labels in samples:
        values = documents[tuple(zip(metric.labels, labels, strict=True))][metric]
        if metric.kind is Kind.COUNTER and values:
            values[0] += value
        else:
            values.append(value)
    for labels_of, metrics in documents.items():
        _write({**dimensions, **dict(labels_of)}, metrics)


def _write(dimensions: Mapping[str, str], metrics: Mapping[Metric, list[float]]) -> None:
    document = EphemeralMetrics(namespace=NAMESPACE)
    document.service = ""  # whatever POWERTOOLS_SERVICE_NAME says: alarms name exactly these dimensions
    for name, value in dimensions.items():
        document.add_dimension(name, value)
    for metric, values in metrics.items():
        for each in values:
            document.add_metric(metric.name, metric.unit.value, each)
    if document.metric_set:  # it writes by itself whenever 100 values are there
        document.flush_metrics()
