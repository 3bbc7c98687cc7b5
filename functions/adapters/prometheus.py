"""The vocabulary as Prometheus metrics, in a registry of its own, with the platform's process metrics."""

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

from functions.core.metrics import LABELS, METRICS, PREFIX, Kind, Metric
from functions.telemetry import Sample


class PrometheusMeter:
    """Takes samples from any thread; the client library's metrics are thread-safe."""

    def __init__(self, pipeline: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter and histogram, which nobody reads
        self._pipeline = pipeline
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._metrics = {metric: self._make(metric) for metric in METRICS}
        self._begin()

    def record(self, sample: Sample) -> None:
        """Add to a counter, set a gauge, observe one of a distribution."""
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
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)

    def _begin(self) -> None:
        """Counters and histograms are there from the start, at 0: no rate sees a series begin with its first event."""
        for metric, made in self._metrics.items():
            if metric.kind is not Kind.GAUGE:
                for values in product(*(LABELS[label] for label in metric.labels)):
                    made.labels(self._pipeline, *values)

    def _make(self, metric: Metric) -> Counter | Gauge | Histogram:
        name, labels = PREFIX + metric.name, ("pipeline", *metric.labels)
        match metric.kind:
            case Kind.COUNTER:
                return Counter(name, metric.help, labels, registry=self._registry)
            case Kind.GAUGE:
                return Gauge(name, metric.help, labels, registry=self._registry)
            case Kind.DISTRIBUTION:
                return Histogram(name, metric.help, labels, buckets=metric.buckets, registry=self._registry)
