"""What both runtimes report: the samples of core/metrics.py's metrics, and the fields of log lines.

Three exporters write samples under the same names: EMF on Lambda, Prometheus and CloudWatch on EKS.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from aws_lambda_powertools import Logger

from functions.core.errors import Flood, Stop
from functions.core.metrics import (
    ALREADY_SETTLED,
    CONFLICTS,
    DROPPED,
    FLOODS,
    GAPS,
    LAST_SETTLED,
    RECORDS,
    REJECTS,
    REPEATED,
    RETRIES,
    ROLL_FORWARDS,
    ROWS,
    SETTLE_SECONDS,
    SLICE_BYTES,
    SLICE_RECORDS,
    STOPS,
    Metric,
)
from functions.core.settle import Settled
from functions.core.slice import Slice


class Sample(NamedTuple):
    """One observed value of a metric."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


class Meter(Protocol):
    """Accepts samples from any thread."""

    def record(self, sample: Sample) -> None:
        """Add to a counter, set a gauge, or add a value to a distribution."""

    def forget(self, metric: Metric, *labels: str) -> None:
        """Drop a labelled gauge, such as the lag of a partition that another worker has now."""


@dataclass(frozen=True, slots=True)
class Meters:
    """Passes each sample to several meters."""

    meters: tuple[Meter, ...]

    def record(self, sample: Sample) -> None:
        """Record the sample with every meter."""
        for meter in self.meters:
            meter.record(sample)

    def forget(self, metric: Metric, *labels: str) -> None:
        """Drop the labelled gauge of every meter."""
        for meter in self.meters:
            meter.forget(metric, *labels)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to settle a slice that has ended, with what was settled or with the error that prevented it.

    `seconds` is its duration, `ended` its end in Unix seconds, `retries` how many further tries it included or caused.
    """

    slice_: Slice
    result: Settled | Exception
    seconds: float
    ended: float
    retries: int = 0

    @property
    def error(self) -> Exception | None:
        """None if the slice is settled, so that its end may be committed."""
        return None if isinstance(self.result, Settled) else self.result


def report(attempt: Attempt, record_sample: Callable[[Sample], None], log: Logger) -> None:
    """Pass the samples to `record_sample`, and log one line: a warning for a gap, an error with its traceback."""
    for sample in samples(attempt):
        record_sample(sample)
    if isinstance(attempt.result, Settled):
        write = log.warning if attempt.result.gaps else log.info
        write("settled", extra=fields(attempt.slice_) | settled_fields(attempt.result, attempt.seconds))
    else:
        extra = fields(attempt.slice_) | {"error": str(attempt.result)}
        log.error("not settled", extra=extra, exc_info=attempt.result)


def samples(attempt: Attempt) -> Iterator[Sample]:
    """The attempt's metrics. Zeros are left out, so that nothing is sent for what did not happen."""
    if isinstance(attempt.result, Settled):
        yield from _settled_samples(attempt.result)
        yield from _slice_samples(attempt)
    elif isinstance(attempt.result, Stop):
        yield Sample(STOPS, 1)
        if isinstance(attempt.result, Flood):
            yield Sample(FLOODS, 1)
    if attempt.retries:
        yield Sample(RETRIES, attempt.retries)


def _settled_samples(settled: Settled) -> Iterator[Sample]:
    counted = (
        (RECORDS, settled.records),
        (ROWS, settled.rows),
        (DROPPED, settled.dropped),
        (REPEATED, settled.repeated),
        (ALREADY_SETTLED, settled.already_settled),
        (CONFLICTS, settled.conflicts),
        (ROLL_FORWARDS, settled.adopted),
        (GAPS, len(settled.gaps)),
    )
    yield from (Sample(metric, value) for metric, value in counted if value)
    yield from (Sample(REJECTS, n, (reason.value,)) for reason, n in sorted(settled.rejected.items(), key=str))


def _slice_samples(attempt: Attempt) -> Iterator[Sample]:
    columns = (attempt.slice_.keys, attempt.slice_.values)
    yield Sample(SETTLE_SECONDS, attempt.seconds)
    yield Sample(SLICE_RECORDS, len(attempt.slice_))
    yield Sample(SLICE_BYTES, sum(sum(map(len, filter(None, column))) for column in columns))
    yield Sample(LAST_SETTLED, attempt.ended)


def age(timestamp: int, now: float) -> float | None:
    """Return the seconds from Kafka's `timestamp` in milliseconds to `now` in Unix seconds; None without a timestamp.

    Producers' clocks may be ahead, so a timestamp in the future counts as an age of 0.
    """
    return max(0.0, now - timestamp / 1000) if timestamp >= 0 else None


FIELDS: Final = {
    "topic": "The topic",
    "partition": "The partition",
    "start": "The slice's first offset",
    "end": "The slice's last offset",
    "next": "The ledger's next offset, after settling",
    "records": "Records settled",
    "rows": "Rows that the records became",
    "rejects": "Records stored as dead letters, by reason",
    "dropped": "Records dropped on purpose",
    "repeated": "Records dropped because another record had the same event",
    "already": "Records delivered again that the ledger recognised as settled",
    "adopted": "Lake objects of another writer or attempt that were adopted",
    "conflicts": "Transactions that another writer completed first",
    "gaps": "Offsets passed without their records, as [first, last]",
    "seconds": "The duration of the attempt",
}
"""The meaning of the fields of a slice's log lines, in their order."""


def fields(slice_: Slice) -> dict[str, object]:
    """Return the fields that identify a slice in a log line."""
    return {"topic": slice_.topic, "partition": slice_.partition, "start": slice_.start, "end": slice_.end}


def settled_fields(settled: Settled, seconds: float) -> dict[str, object]:
    """Return a log line's fields of a settled slice, without zeros."""
    values = {
        "next": settled.next,
        "records": settled.records,
        "rows": settled.rows,
        "rejects": {reason.value: n for reason, n in settled.rejected.items()},
        "dropped": settled.dropped,
        "repeated": settled.repeated,
        "already": settled.already_settled,
        "adopted": settled.adopted,
        "conflicts": settled.conflicts,
        "gaps": [[gap.first, gap.last] for gap in settled.gaps],
    }
    return {name: value for name, value in values.items() if value} | {"seconds": round(seconds, 3)}
