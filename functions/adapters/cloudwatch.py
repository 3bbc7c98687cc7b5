"""The worker's metrics in CloudWatch, put at intervals by a separate thread.

Names and dimensions equal those of emf.py, so that one dashboard shows both runtimes. A failing put never disturbs
settling. Its samples are dropped, because CloudWatch may have counted them, and Prometheus has them in any case.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger

from functions.core.metrics import NAMESPACE, Metric, MetricKind
from functions.telemetry import Sample

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

# CloudWatch's API reference, "PutMetricData": 150 values per metric, 1,000 metrics and 1 MB per call.
MAX_VALUES: Final = 150
MAX_METRICS: Final = 300
CLOSE_SECONDS: Final = 3.0  # the timeout of the last put

Series = tuple[Metric, tuple[str, ...]]


class CloudWatchMeter:
    """Accepts samples from any thread; `put` sends the samples since the last put, and the gauges' current values."""

    def __init__(self, client: "CloudWatchClient", dimensions: Mapping[str, str], log: Logger) -> None:
        self._client, self._dimensions, self._log = client, dimensions, log
        self._lock, self._closing = Lock(), Event()
        self._gauges: dict[Series, float] = {}
        self._sums: Counter[Series] = Counter()
        self._observed: defaultdict[Series, Counter[float]] = defaultdict(Counter)
        self._failing = False
        self._thread: Thread | None = None

    def record(self, sample: Sample) -> None:
        """Add to a counter, set a gauge, or add a value to a distribution, rounded to three digits."""
        series = (sample.metric, sample.labels)
        with self._lock:
            match sample.metric.kind:
                case MetricKind.COUNTER:
                    self._sums[series] += sample.value  # type: ignore[assignment] # a Counter adds floats as well
                case MetricKind.GAUGE:
                    self._gauges[series] = sample.value
                case MetricKind.DISTRIBUTION:
                    self._observed[series][float(f"{sample.value:.3g}")] += 1

    def forget(self, metric: Metric, *labels: str) -> None:
        """Drop a labelled gauge, such as the lag of a partition that another worker has now."""
        with self._lock:
            self._gauges.pop((metric, labels), None)

    def start(self, seconds: float) -> None:
        """Put every `seconds` until `close`."""
        self._thread = Thread(target=self._run, args=(seconds,), name="cloudwatch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Put the remaining samples, within CLOSE_SECONDS."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def put(self) -> None:
        """Put all samples now. Only the first of consecutive failures is logged."""
        data = iter(self._take())
        try:
            while call := list(islice(data, MAX_METRICS)):
                self._client.put_metric_data(Namespace=NAMESPACE, MetricData=call)
        except Exception as error:  # noqa: BLE001 - no error may disturb settling
            if not self._failing:
                self._log.warning("metrics not put to CloudWatch", extra={"error": str(error)})
            self._failing = True
        else:
            self._failing = False

    def _run(self, seconds: float) -> None:
        while not self._closing.wait(seconds):
            self.put()
        self.put()

    def _take(self) -> list["MetricDatumTypeDef"]:
        with self._lock:
            numbers, observed = {**self._sums, **self._gauges}, self._observed
            self._sums, self._observed = Counter(), defaultdict(Counter)
        now = datetime.now(UTC)
        single = [{**self._datum(series, now), "Value": value} for series, value in numbers.items()]
        many = [
            {**self._datum(series, now), "Values": [*chunk], "Counts": [*chunk.values()]}
            for series, values in observed.items()
            for chunk in _chunks(values)
        ]
        return [*single, *many]  # type: ignore[list-item] # to mypy {**TypedDict, ...} is a plain dict

    def _datum(self, series: Series, now: datetime) -> "MetricDatumTypeDef":
        metric, labels = series
        dimensions = {**self._dimensions, **dict(zip(metric.labels, labels, strict=True))}
        return {
            "MetricName": metric.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Unit": metric.unit.value,
            "Timestamp": now,
        }


def _chunks(counts: Mapping[float, float]) -> Iterator[dict[float, float]]:
    items = iter(counts.items())
    while chunk := dict(islice(items, MAX_VALUES)):
        yield chunk
