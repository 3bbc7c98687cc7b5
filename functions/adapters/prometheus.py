"""The worker's metrics for Prometheus, in a separate registry, with the platform's process metrics."""

from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from functions.core.metrics import LABELS, METRICS, PREFIX, Metric, MetricKind
from functions.telemetry import Sample


class PrometheusMeter:
    """Accepts samples from any thread, because the client library's metrics are thread-safe."""

    def __init__(self, pipeline: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # these would add an unused series to each counter and histogram
        self._pipeline = pipeline
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._metrics = {metric: self._make(metric) for metric in METRICS}
        self._create_series()

    def record(self, sample: Sample) -> None:
        """Add to a counter, set a gauge, or add a value to a distribution."""
        metric = self._metrics[sample.metric].labels(self._pipeline, *sample.labels)
        if isinstance(metric, Counter):
            metric.inc(sample.value)
        elif isinstance(metric, Gauge):
            metric.set(sample.value)
        else:
            metric.observe(sample.value)

    def forget(self, metric: Metric, *labels: str) -> None:
        """Drop a labelled series, such as the lag of a partition that another worker has now."""
        self._metrics[metric].remove_by_labels(
            {"pipeline": self._pipeline, **dict(zip(metric.labels, labels, strict=True))}
        )

    def page(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _create_series(self) -> None:
        """Create all series of counters and histograms at 0: a rate misses the event with which a series appears."""
        for metric, exported in self._metrics.items():
            if metric.kind is not MetricKind.GAUGE:
                for values in product(*(LABELS[label] for label in metric.labels)):
                    exported.labels(self._pipeline, *values)

    def _make(self, metric: Metric) -> Counter | Gauge | Histogram:
        name, labels = PREFIX + metric.name, ("pipeline", *metric.labels)
        match metric.kind:
            case MetricKind.COUNTER:
                return Counter(name, metric.help, labels, registry=self._registry)
            case MetricKind.GAUGE:
                return Gauge(name, metric.help, labels, registry=self._registry)
            case MetricKind.DISTRIBUTION:
                return Histogram(name, metric.help, labels, buckets=metric.buckets, registry=self._registry)
