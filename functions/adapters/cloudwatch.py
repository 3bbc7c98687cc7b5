"""The vocabulary as CloudWatch metrics, put once in a while from a thread of its own.

So the worker stands beside the function on one dashboard, under the names and dimensions that emf.py gives. It never
disturbs settling. What CloudWatch does not take is dropped: nobody knows whether it has counted it, and Prometheus has
it all the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger

from functions.core.metrics import NAMESPACE, Kind, Metric
from functions.telemetry import Sample

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

# CloudWatch's API reference, "PutMetricData": 150 values a metric, 1,000 metrics and 1 MB a call.
VALUES: Final = 150
DATA: Final = 300
CLOSE_SECONDS: Final = 3.0  # for the last put

Series = tuple[Metric, tuple[str, ...]]


class CloudWatchMeter:
    """Takes samples from any thread; `put` sends what has come since the last one, and where the gauges stand."""

    def __init__(self, client: "CloudWatchClient", dimensions: Mapping[str, str], log: Logger) -> None:
        self._client, self._dimensions, self._log = client, dimensions, log
        self._lock, self._closing = Lock(), Event()
        self._gauges: dict[Series, float] = {}
        self._sums: Counter[Series] = Counter()
        self._seen: defaultdict[Series, Counter[float]] = defaultdict(Counter)
        self._failing = False
        self._thread: Thread | None = None

    def record(self, sample: Sample) -> None:
        """Add to a counter, set a gauge, observe one of a distribution, to three digits."""
        series = (sample.metric, sample.labels)
        with self._lock:
            match sample.metric.kind:
                case Kind.COUNTER:
                    self._sums[series] += sample.value  # type: ignore[assignment] # a Counter adds floats as well
                case Kind.GAUGE:
                    self._gauges[series] = sample.value
                case Kind.DISTRIBUTION:
                    self._seen[series][float(f"{sample.value:.3g}")] += 1

    def forget(self, metric: Metric, *labels: str) -> None:
        """Drop a labelled gauge, such as the lag of a partition that another worker has now."""
        with self._lock:
            self._gauges.pop((metric, labels), None)

    def start(self, seconds: float) -> None:
        """Put every so many seconds, until `close`."""
        self._thread = Thread(target=self._run, args=(seconds,), name="cloudwatch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Put what is left, within CLOSE_SECONDS."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def put(self) -> None:
        """Send it now. A failure is told once, until a put succeeds again."""
        data = iter(self._take())
        try:
            while call := list(islice(data, DATA)):
                self._client.put_metric_data(Namespace=NAMESPACE, MetricData=call)
        except Exception as error:  # noqa: BLE001 - whatever it is, settling goes on without
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
            numbers, seen = {**self._sums, **self._gauges}, self._seen
            self._sums, self._seen = Counter(), defaultdict(Counter)
        now = datetime.now(UTC)
        single = [{**self._datum(series, now), "Value": value} for series, value in numbers.items()]
        many = [
            {**self._datum(series, now), "Values": [*part], "Counts": [*part.values()]}
            for series, values in seen.items()
            for part in _parts(values)
        ]
        return [*single, *many]  # type: ignore[list-item] # mypy takes {**TypedDict, ...} for a plain dict

    def _datum(self, series: Series, now: datetime) -> "MetricDatumTypeDef":
        metric, labels = series
        dimensions = {**self._dimensions, **dict(zip(metric.labels, labels, strict=True))}
        return {
            "MetricName": metric.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Unit": metric.unit.value,
            "Timestamp": now,
        }


def _parts(values: Mapping[float, float]) -> Iterator[dict[float, float]]:
    items = iter(values.items())
    while part := dict(islice(items, VALUES)):
        yield part
