"""The vocabulary of metrics: one source for every exporter, CDK, dashboards, alarms and docs/metrics.md.

CloudWatch has them in the namespace `Tandem` under these names, with the dimensions `stage`, `pipeline`, `runtime` and
the metric's own labels; Prometheus as `tandem_<name>` with the label `pipeline` and the metric's own.
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
"""The values of those labels that are known beforehand."""


class Kind(Enum):
    """What a number means over time."""

    COUNTER = "counter"
    GAUGE = "gauge"
    DISTRIBUTION = "distribution"  # observed one by one: how many, their sum, and how they spread


class Unit(Enum):
    """In CloudWatch's words."""

    COUNT = "Count"
    SECONDS = "Seconds"
    BYTES = "Bytes"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; `name` follows Prometheus' conventions without PREFIX. `buckets` are a distribution's upper bounds."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    unit: Unit = Unit.COUNT
    buckets: tuple[float, ...] = ()
    runtimes: tuple[str, ...] = BOTH

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Its dimensions in CloudWatch."""
        return (*DIMENSIONS, *self.labels)


def dimensions(stage: str, pipeline: str, runtime: str) -> dict[str, str]:
    """The dimensions that every metric has in CloudWatch."""
    return dict(zip(DIMENSIONS, (stage, pipeline, runtime), strict=True))


RECORDS = Metric("records_total", Kind.COUNTER, "Records settled")
ROWS = Metric("rows_total", Kind.COUNTER, "Rows that settled records came to")
REJECTS = Metric("rejects_total", Kind.COUNTER, "Records stored as dead letters", ("reason",))
DROPPED = Metric("dropped_total", Kind.COUNTER, "Records dropped on purpose: tombstones, or process returned None")
ALREADY = Metric("already_settled_total", Kind.COUNTER, "Records that came again and were recognised by the ledger")
CONFLICTS = Metric("ledger_conflicts_total", Kind.COUNTER, "Transactions that another writer had made first")
ROLL_FORWARDS = Metric("roll_forwards_total", Kind.COUNTER, "Lake objects of another writer or try that were adopted")
GAPS = Metric("gaps_total", Kind.COUNTER, "Ranges of offsets that were passed without their records")
RETRIES = Metric("retries_total", Kind.COUNTER, "Slices left for another try because a store was unavailable")
FLOODS = Metric("floods_total", Kind.COUNTER, "Slices refused because too many records were rejects")
STOPS = Metric("stops_total", Kind.COUNTER, "Slices refused until a person has looked, floods included")
SETTLE_SECONDS = Metric(
    "settle_seconds", Kind.DISTRIBUTION, "Time to settle one slice", (), Unit.SECONDS,
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)  # fmt: skip
SLICE_RECORDS = Metric(
    "slice_records", Kind.DISTRIBUTION, "Records in a slice that was settled", (), Unit.COUNT,
    (1, 10, 50, 100, 500, 1000, 2500, 5000, 10_000),
)  # fmt: skip
SLICE_BYTES = Metric(
    "slice_bytes", Kind.DISTRIBUTION, "Bytes of keys and values in a slice that was settled", (), Unit.BYTES,
    (2**10, 2**12, 2**14, 2**16, 2**18, 2**20, 2**22, 2**24, 2**26),
)  # fmt: skip
RECORD_AGE = Metric(
    "record_age_seconds", Kind.GAUGE, "Age, by its timestamp, of the oldest record that was brought and is not settled",
    (), Unit.SECONDS,
)  # fmt: skip
LAST_SETTLED = Metric(
    "last_settled_timestamp_seconds", Kind.GAUGE, "When a slice was last settled, Unix seconds", (), Unit.SECONDS
)
LAG = Metric("lag_records", Kind.GAUGE, "Records in the log that are not settled", ("partition",), runtimes=(WORKER,))
BYTES_IN_FLIGHT = Metric(
    "bytes_in_flight", Kind.GAUGE, "Memory of the records read and not settled", (), Unit.BYTES, runtimes=(WORKER,)
)
ASSIGNED = Metric("assigned_partitions", Kind.GAUGE, "Partitions assigned to this worker", runtimes=(WORKER,))
PAUSED = Metric(
    "paused_partitions", Kind.GAUGE, "Partitions not being read: full, waiting for a store, or stopped",
    runtimes=(WORKER,),
)  # fmt: skip
STOPPED = Metric("stopped_partitions", Kind.GAUGE, "Partitions stopped until a person has looked", runtimes=(WORKER,))
REBALANCES = Metric(
    "rebalances_total", Kind.COUNTER, "Changes of the partition assignment", ("change",), runtimes=(WORKER,)
)

METRICS: Final = (
    RECORDS, ROWS, REJECTS, DROPPED, ALREADY, CONFLICTS, ROLL_FORWARDS, GAPS, RETRIES, FLOODS, STOPS, SETTLE_SECONDS,
    SLICE_RECORDS, SLICE_BYTES, RECORD_AGE, LAST_SETTLED, LAG, BYTES_IN_FLIGHT, ASSIGNED, PAUSED, STOPPED, REBALANCES,
)  # fmt: skip
