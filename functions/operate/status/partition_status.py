"""The status of a pipeline's partitions: what the ledger says next to what the brokers say.

The lag is counted from the ledger, not from the commit. It excludes records that expired: they are never settled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from functions.core.effects import EPOCH
from functions.core.errors import Refused, Unavailable
from functions.core.intent import Gap
from functions.core.operator_ports import LogBounds
from functions.core.pipeline import Start
from functions.core.ports import DurableStop, Position, Source, Suspect
from functions.operate.context import OperatorContext
from functions.operate.status.letters import OpenLetters, open_letters
from functions.operate.status.runtimes import GroupStatus, RuntimeStatus, group_status, runtime_statuses
from functions.operate.stops import since

MAX_AGE_KEEPING_UP: Final = 60.0  # seconds: a partition whose newest settled record is younger is not behind


@dataclass(frozen=True)
class PartitionStatus:
    """One partition at `now`. `bounds` is None without an answer of the brokers, `position` without a ledger item."""

    partition: int
    position: Position | None
    bounds: LogBounds | None
    committed: int | None
    gaps: Sequence[Gap]
    start: Start
    now: datetime

    @cached_property
    def lag(self) -> int | None:
        """Offsets in the log that are not settled; they need not all hold records."""
        if self.bounds is None:
            return None
        return max(0, self.bounds.high - max(self._begin(self.bounds), self.bounds.low))

    @cached_property
    def expired(self) -> int:
        """Offsets that left the log before they were settled."""
        return 0 if self.bounds is None else max(0, self.bounds.low - self._begin(self.bounds))

    @cached_property
    def newest(self) -> datetime | None:
        """The timestamp of the newest settled record; None before any, or where it is outside of the calendar."""
        if self.position is None or self.position.newest < 0:
            return None
        try:
            return EPOCH + timedelta(milliseconds=self.position.newest)
        except OverflowError:
            return None

    @cached_property
    def age(self) -> float | None:
        """Seconds since `newest`."""
        return (self.now - self.newest).total_seconds() if self.newest else None

    @property
    def behind(self) -> bool:
        """Whether records are unsettled, and none of the last minute is settled."""
        return bool(self.lag) and (self.age is None or self.age > MAX_AGE_KEEPING_UP)

    @property
    def went_back(self) -> bool:
        """Whether the log ends before the ledger, so that it is not the log that was settled."""
        return self.position is not None and self.bounds is not None and self.position.next > self.bounds.high

    @property
    def stop(self) -> DurableStop | None:
        """The durable stop, until an operator resumes or rewinds the partition."""
        return None if self.position is None else self.position.stop

    @property
    def suspect(self) -> Suspect | None:
        """Where an attempt ended with its process, while the ledger has not passed it."""
        suspect = self.position and self.position.suspect
        return suspect if suspect and self.position and suspect.end >= self.position.next else None

    def _begin(self, bounds: LogBounds) -> int:
        """Return the offset that the worker would begin at."""
        if self.position is not None:
            return self.position.next
        if self.committed is not None:
            return self.committed
        return bounds.low if self.start is Start.EARLIEST else bounds.high

    def as_dict(self) -> dict[str, Any]:
        """Return the status as JSON values."""
        position, bounds = self.position, self.bounds
        return {
            "partition": self.partition, "next": position and position.next, "log_begin": bounds and bounds.low,
            "log_end": bounds and bounds.high, "lag": self.lag, "expired": self.expired, "committed": self.committed,
            "step": position and position.step, "opened": str(position.day) if position and position.day else None,
            "newest_settled": self.newest and self.newest.isoformat(), "newest_settled_age_seconds": self.age,
            "gaps": [[gap.first, gap.last] for gap in self.gaps], "behind": self.behind, "went_back": self.went_back,
            "stop": self.stop and _stop(self.stop), "suspect": self.suspect and asdict(self.suspect),
        }  # fmt: skip


def _stop(stop: DurableStop) -> dict[str, Any]:
    return {
        "reason": stop.reason.value,
        "since": since(stop),
        "first": stop.first,
        "last": stop.last,
        "detail": stop.detail,
    }


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """The partitions of a pipeline that the ledger or the brokers know. `error`: why the brokers did not answer."""

    pipeline: str
    topic: str
    group: str
    partitions: Sequence[PartitionStatus]
    error: str | None
    letters: OpenLetters
    runtimes: Sequence[RuntimeStatus]
    group_status: GroupStatus

    @property
    def needs_attention(self) -> bool:
        """Whether a partition is behind, stopped or of a log that went back."""
        return any(status.behind or status.stop or status.went_back for status in self.partitions)

    def as_dict(self) -> dict[str, Any]:
        """Return the status as JSON values."""
        return {
            "pipeline": self.pipeline, "topic": self.topic, "group": self.group,
            "summary": summary(self.partitions, self.error), "brokers": self.error,
            "partitions": [status.as_dict() for status in self.partitions], "letters": self.letters.as_dict(),
            "runtimes": [each.as_dict() for each in self.runtimes], "members": self.group_status.as_dict(),
        }  # fmt: skip


def inspect_pipeline(context: OperatorContext) -> PipelineStatus:
    """Return the status of the context's pipeline."""
    statuses, error = inspect_partitions(context)
    members = group_status(context) if error is None else GroupStatus(None, error)
    return PipelineStatus(
        context.pipeline.name, context.pipeline.topic, context.group, statuses, error, open_letters(context),
        runtime_statuses(context), members,
    )  # fmt: skip


def inspect_partitions(context: OperatorContext) -> tuple[Sequence[PartitionStatus], str | None]:
    """Return the partitions alone, without letters, runtimes and members; and why the brokers did not answer."""
    pipeline, listing, now = context.pipeline, context.ledger_listing, context.now()
    positions = listing.positions(pipeline.name, pipeline.topic)
    bounds, committed, error = _ask_brokers(context)
    statuses = [
        PartitionStatus(
            number, positions.get(number), bounds.get(number), committed.get(number),
            listing.gaps(Source(pipeline.name, pipeline.topic, number)), pipeline.start, now,
        )
        for number in sorted(positions.keys() | bounds.keys())
    ]  # fmt: skip
    return statuses, error


def _ask_brokers(context: OperatorContext) -> tuple[Mapping[int, LogBounds], Mapping[int, int], str | None]:
    topic, brokers = context.pipeline.topic, context.brokers
    try:
        numbers = brokers.partitions(topic)
        return brokers.bounds(topic, numbers), brokers.committed(topic, numbers), None
    except (Unavailable, Refused) as error:
        return {}, {}, str(error)


def summary(statuses: Sequence[PartitionStatus], error: str | None) -> str:
    """Return the status of all partitions in one line: the stopped ones first."""
    stops = [f"{status.partition} ({status.stop.reason.value})" for status in statuses if status.stop]
    stopped = f"stopped on partition {', '.join(stops)}: see tandem resume --help; " if stops else ""
    return stopped + _log_summary(statuses, error)


def _log_summary(statuses: Sequence[PartitionStatus], error: str | None) -> str:
    if error is not None:
        return f"the ledger alone: {error}"
    back = [str(status.partition) for status in statuses if status.went_back]
    if back:
        return f"the log ends before the ledger on partition {', '.join(back)}: see tandem rewind --help"
    behind = [status for status in statuses if status.behind]
    if behind:
        lag = sum(status.lag or 0 for status in behind)
        return f"{lag:,} behind on {len(behind)} of {len(statuses)} partitions"
    lag = sum(status.lag or 0 for status in statuses)
    return f"keeping up, {lag:,} not settled yet" if lag else "keeping up"
