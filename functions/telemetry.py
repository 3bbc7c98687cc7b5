"""The one vocabulary of metrics and log fields.

The runtimes turn what settling did into samples; two exporters, EMF on Lambda and Prometheus on EKS, write them under
the same names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from functions.core.settle import Settled
from functions.core.slice import Slice

NAMESPACE: Final = "Tandem"


class Kind(Enum):
    """What a number means over time."""

    COUNTER = "counter"
    GAUGE = "gauge"
    DURATION = "duration"  # seconds, observed one by one


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; `name` follows Prometheus' conventions without the prefix tandem_, `labels` come besides `pipeline`."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One observation."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


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
SETTLE_SECONDS = Metric("settle_seconds", Kind.DURATION, "Time to settle one slice")
LAG = Metric("lag_records", Kind.GAUGE, "Records in the log that are not settled", ("partition",))
BYTES_IN_FLIGHT = Metric("bytes_in_flight", Kind.GAUGE, "Bytes of keys and values read and not settled")
ASSIGNED = Metric("assigned_partitions", Kind.GAUGE, "Partitions assigned to this worker")
PAUSED = Metric("paused_partitions", Kind.GAUGE, "Partitions not being read: full, waiting for a store, or stopped")
STOPPED = Metric("stopped_partitions", Kind.GAUGE, "Partitions stopped until a person has looked")
REBALANCES = Metric("rebalances_total", Kind.COUNTER, "Changes of the partition assignment", ("change",))
LAST_SETTLED = Metric("last_settled_timestamp_seconds", Kind.GAUGE, "When a slice was last settled, Unix seconds")

METRICS: Final = (
    RECORDS, ROWS, REJECTS, DROPPED, ALREADY, CONFLICTS, ROLL_FORWARDS, GAPS, RETRIES, FLOODS, STOPS, SETTLE_SECONDS,
    LAG, BYTES_IN_FLIGHT, ASSIGNED, PAUSED, STOPPED, REBALANCES, LAST_SETTLED,
)  # fmt: skip


def samples(settled: Settled, seconds: float) -> Iterator[Sample]:
    """What settling a slice says; zeros are left out, so that nothing is sent for what did not happen."""
    counted = (
        (RECORDS, settled.records),
        (ROWS, settled.rows),
        (DROPPED, settled.dropped),
        (ALREADY, settled.already),
        (CONFLICTS, settled.conflicts),
        (ROLL_FORWARDS, settled.adopted),
        (GAPS, len(settled.gaps)),
    )
    yield from (Sample(metric, value) for metric, value in counted if value)
    yield from (Sample(REJECTS, n, (reason.value,)) for reason, n in sorted(settled.rejected.items(), key=str))
    yield Sample(SETTLE_SECONDS, seconds)


def fields(part: Slice) -> dict[str, object]:
    """Which slice a log line is about."""
    return {"topic": part.topic, "partition": part.partition, "start": part.start, "end": part.end}


def settled_fields(settled: Settled, seconds: float) -> dict[str, object]:
    """What a log line says of a settled slice; zeros are left out."""
    told = {
        "next": settled.next,
        "records": settled.records,
        "rows": settled.rows,
        "rejects": {reason.value: n for reason, n in settled.rejected.items()},
        "dropped": settled.dropped,
        "already": settled.already,
        "adopted": settled.adopted,
        "conflicts": settled.conflicts,
        "gaps": [[gap.first, gap.last] for gap in settled.gaps],
    }
    return {name: value for name, value in told.items() if value} | {"seconds": round(seconds, 3)}
