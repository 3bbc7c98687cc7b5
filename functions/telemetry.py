"""What the runtimes say: metrics in the words of core/metrics.py, and the fields of log lines.

The runtimes turn what settling did into samples; three exporters write them under the same names: EMF on Lambda,
Prometheus and CloudWatch on EKS.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from functions.core.metrics import (
    ALREADY,
    CONFLICTS,
    DROPPED,
    GAPS,
    LAST_SETTLED,
    RECORDS,
    REJECTS,
    ROLL_FORWARDS,
    ROWS,
    SETTLE_SECONDS,
    SLICE_BYTES,
    SLICE_RECORDS,
    Metric,
)
from functions.core.settle import Settled
from functions.core.slice import Slice


class Sample(NamedTuple):
    """One observation."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


class Meter(Protocol):
    """Takes samples as they come, from any thread."""

    def record(self, sample: Sample) -> None:
        """Add to a counter, set a gauge, observe one of a distribution."""

    def forget(self, metric: Metric, *labels: str) -> None:
        """Drop a labelled gauge, such as the lag of a partition that another worker has now."""


@dataclass(frozen=True, slots=True)
class Meters:
    """Several meters as one."""

    each: tuple[Meter, ...]

    def record(self, sample: Sample) -> None:
        """Tell every one."""
        for meter in self.each:
            meter.record(sample)

    def forget(self, metric: Metric, *labels: str) -> None:
        """Tell every one."""
        for meter in self.each:
            meter.forget(metric, *labels)


def samples(part: Slice, settled: Settled, seconds: float, now: float) -> Iterator[Sample]:
    """What settling a slice says, at `now` in Unix seconds.

    Zeros are left out, so that nothing is sent for what did not happen.
    """
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
    yield Sample(SLICE_RECORDS, len(part))
    yield Sample(SLICE_BYTES, sum(sum(map(len, filter(None, column))) for column in (part.keys, part.values)))
    yield Sample(LAST_SETTLED, now)


def age(timestamp: int, now: float) -> float | None:
    """Seconds from Kafka's `timestamp` in milliseconds to `now` in Unix seconds; None where a record has no time.

    Producers' clocks are not ours: a record of the future is new.
    """
    return max(0.0, now - timestamp / 1000) if timestamp >= 0 else None


FIELDS: Final = {
    "topic": "Which topic",
    "partition": "Which partition",
    "start": "The slice's first offset",
    "end": "The slice's last offset",
    "next": "The ledger's next offset, after settling",
    "records": "Records settled",
    "rows": "Rows that they came to",
    "rejects": "Records stored as dead letters, by reason",
    "dropped": "Records dropped on purpose",
    "already": "Records that came again and were recognised by the ledger",
    "adopted": "Lake objects of another writer or try that were adopted",
    "conflicts": "Transactions that another writer had made first",
    "gaps": "Offsets passed without their records, as [first, last]",
    "seconds": "How long settling took",
}
"""What the fields of a slice's log lines mean, in their order."""


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
