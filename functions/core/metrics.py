"""All metrics: the single source for the exporters, CDK, dashboards, alarms and docs/metrics.md.

In CloudWatch they are in the namespace `Tandem` under these names, with the dimensions `stage`, `pipeline`, `runtime`
and the metric's labels; in Prometheus they are `tandem_<name>` with the label `pipeline` and the metric's labels.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from functions.core.dead_letter import Reason

NAMESPACE: Final = "Tandem"
PREFIX: Final = "tandem_"
MSK: Final = "msk"
WORKER: Final = "worker"
BOTH: Final = (MSK, WORKER)
DIMENSIONS: Final = ("stage", "pipeline", "runtime")
LABELS: Final = {"reason": tuple(reason.value for reason in Reason), "change": ("assigned", "revoked", "lost")}
"""The values of each label whose values are fixed."""


class MetricKind(Enum):
    """How a metric's values are aggregated over time."""

    COUNTER = "counter"
    GAUGE = "gauge"
    DISTRIBUTION = "distribution"  # single observations: their count, sum and buckets


class Unit(Enum):
    """A unit, with the name that CloudWatch uses."""

    COUNT = "Count"
    SECONDS = "Seconds"
    BYTES = "Bytes"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; `name` follows Prometheus' conventions without PREFIX. `buckets` are a distribution's upper bounds."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    unit: Unit = Unit.COUNT
    buckets: tuple[float, ...] = ()
    runtimes: tuple[str, ...] = BOTH

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The metric's dimensions in CloudWatch: the common ones and its labels."""
        return (*DIMENSIONS, *self.labels)


def dimensions(stage: str, pipeline: str, runtime: str) -> dict[str, str]:
    """Return the dimensions that every metric has in CloudWatch, with their values."""
    return dict(zip(DIMENSIONS, (stage, pipeline, runtime), strict=True))


RECORDS = Metric("records_total", MetricKind.COUNTER, "Records settled")
ROWS = Metric("rows_total", MetricKind.COUNTER, "Rows that settled records produced")
REJECTS = Metric("rejects_total", MetricKind.COUNTER, "Records stored as dead letters", ("reason",))
DROPPED = Metric(
    "dropped_total", MetricKind.COUNTER, "Records dropped on purpose: tombstones, or process returned None"
)
REPEATED = Metric(
    "repeated_total", MetricKind.COUNTER, "Records dropped because another record had the same event, by Dedup"
)
ALREADY_SETTLED = Metric(
    "already_settled_total", MetricKind.COUNTER, "Redelivered records that the ledger had settled already"
)
CONFLICTS = Metric(
    "ledger_conflicts_total", MetricKind.COUNTER, "Transactions that failed because another writer was first"
)
ROLL_FORWARDS = Metric(
    "roll_forwards_total", MetricKind.COUNTER, "Lake objects of another writer or attempt that were adopted"
)
GAPS = Metric("gaps_total", MetricKind.COUNTER, "Ranges of offsets that the ledger passed without their records")
RETRIES = Metric("retries_total", MetricKind.COUNTER, "Slices to be tried again because a store was unavailable")
FLOODS = Metric("floods_total", MetricKind.COUNTER, "Slices refused because too many records were rejects")
STOPS = Metric("stops_total", MetricKind.COUNTER, "Slices refused until an operator acts, floods included")
SETTLE_SECONDS = Metric(
    "settle_seconds", MetricKind.DISTRIBUTION, "Time to settle one slice", (), Unit.SECONDS,
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)  # fmt: skip
SLICE_RECORDS = Metric(
    "slice_records", MetricKind.DISTRIBUTION, "Records in a slice that was settled", (), Unit.COUNT,
    (1, 10, 50, 100, 500, 1000, 2500, 5000, 10_000),
)  # fmt: skip
SLICE_BYTES = Metric(
    "slice_bytes", MetricKind.DISTRIBUTION, "Bytes of keys and values in a slice that was settled", (), Unit.BYTES,
    (2**10, 2**12, 2**14, 2**16, 2**18, 2**20, 2**22, 2**24, 2**26),
)  # fmt: skip
RECORD_AGE = Metric(
    "record_age_seconds", MetricKind.GAUGE, "Age, by its timestamp, of the oldest record read and not settled",
    (), Unit.SECONDS,
)  # fmt: skip
LAST_SETTLED = Metric(
    "last_settled_timestamp_seconds", MetricKind.GAUGE, "When a slice was last settled, Unix seconds", (), Unit.SECONDS
)
LAG = Metric(
    "lag_records", MetricKind.GAUGE, "Records in the log that are not settled", ("partition",), runtimes=(WORKER,)
)
BYTES_IN_FLIGHT = Metric(
    "bytes_in_flight",
    MetricKind.GAUGE,
    "Memory of the records read and not settled",
    (),
    Unit.BYTES,
    runtimes=(WORKER,),
)
ASSIGNED = Metric("assigned_partitions", MetricKind.GAUGE, "Partitions assigned to this worker", runtimes=(WORKER,))
PAUSED = Metric(
    "paused_partitions", MetricKind.GAUGE, "Partitions not being read: full, waiting for a store, not open, or stopped",
    runtimes=(WORKER,),
)  # fmt: skip
STOPPED = Metric(
    "stopped_partitions", MetricKind.GAUGE, "Partitions stopped until an operator acts", runtimes=(WORKER,)
)
OPENING = Metric(
    "opening_partitions", MetricKind.GAUGE, "Partitions that cannot be read yet: no leader, or no answer of the ledger",
    runtimes=(WORKER,),
)  # fmt: skip
REBALANCES = Metric(
    "rebalances_total", MetricKind.COUNTER, "Changes of the partition assignment", ("change",), runtimes=(WORKER,)
)

METRICS: Final = (
    RECORDS, ROWS, REJECTS, DROPPED, REPEATED, ALREADY_SETTLED, CONFLICTS, ROLL_FORWARDS, GAPS, RETRIES, FLOODS, STOPS,
    SETTLE_SECONDS, SLICE_RECORDS, SLICE_BYTES, RECORD_AGE, LAST_SETTLED, LAG, BYTES_IN_FLIGHT, ASSIGNED, PAUSED,
    STOPPED, OPENING, REBALANCES,
)  # fmt: skip
