"""Where a pipeline stands, partition by partition: what the ledger says beside what the brokers say.

The lag is counted from the ledger, not from the commit, and leaves out what has expired: nobody will ever settle that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from functions.core.effects import EPOCH
from functions.core.errors import Refused, Unavailable
from functions.core.pipeline import Start
from functions.core.ports import Gap, Position, Source
from functions.operate.brokers import Ends
from functions.operate.desk import Desk

FRESH: Final = 60.0  # seconds: younger than this, what is unsettled is on its way and not behind


@dataclass(frozen=True)
class Standing:
    """One partition at `now`. `ends` is None when the brokers did not answer, `position` before anything was opened."""

    partition: int
    position: Position | None
    ends: Ends | None
    committed: int | None
    gaps: Sequence[Gap]
    start: Start
    now: datetime

    @cached_property
    def lag(self) -> int | None:
        """Offsets in the log that are not settled; they need not all hold records."""
        return None if self.ends is None else max(0, self.ends.high - max(self._begin(self.ends), self.ends.low))

    @cached_property
    def expired(self) -> int:
        """Offsets that left the log before they were settled."""
        return 0 if self.ends is None else max(0, self.ends.low - self._begin(self.ends))

    @cached_property
    def newest(self) -> datetime | None:
        """The timestamp of the newest settled record; None before any, or where no calendar has it."""
        try:
            settled = self.position is not None and self.position.newest >= 0
            return EPOCH + timedelta(milliseconds=self.position.newest) if settled and self.position else None
        except OverflowError:
            return None

    @cached_property
    def age(self) -> float | None:
        """Seconds since `newest`."""
        return (self.now - self.newest).total_seconds() if self.newest else None

    @property
    def behind(self) -> bool:
        """Whether something is unsettled, and nothing of the last minute is settled."""
        return bool(self.lag) and (self.age is None or self.age > FRESH)

    @property
    def went_back(self) -> bool:
        """Whether the log ends before the ledger: another log than the one that was settled."""
        return self.position is not None and self.ends is not None and self.position.next > self.ends.high

    def _begin(self, ends: Ends) -> int:
        """Where the worker would begin."""
        if self.position is not None:
            return self.position.next
        if self.committed is not None:
            return self.committed
        return ends.low if self.start is Start.EARLIEST else ends.high

    def told(self) -> dict[str, Any]:
        """For programs."""
        at, ends = self.position, self.ends
        return {
            "partition": self.partition, "next": at and at.next, "log_begin": ends and ends.low,
            "log_end": ends and ends.high, "lag": self.lag, "expired": self.expired, "committed": self.committed,
            "step": at and at.step, "opened": str(at.day) if at and at.day else None,
            "newest_settled": self.newest and self.newest.isoformat(), "newest_settled_age_seconds": self.age,
            "gaps": [[gap.first, gap.last] for gap in self.gaps], "behind": self.behind, "went_back": self.went_back,
        }  # fmt: skip


def look(desk: Desk, now: datetime) -> tuple[list[Standing], str | None]:
    """Every partition that the ledger or the brokers know, and why the brokers did not answer, if they did not."""
    topic = desk.pipeline.topic
    positions = desk.ledger.positions(desk.pipeline.name, topic)
    ends, committed, silence = _asked(desk, topic)
    standings = [
        Standing(
            number, positions.get(number), ends.get(number), committed.get(number),
            desk.ledger.gaps(Source(desk.pipeline.name, topic, number)), desk.pipeline.start, now,
        )
        for number in sorted(positions.keys() | ends.keys())
    ]  # fmt: skip
    return standings, silence


def _asked(desk: Desk, topic: str) -> tuple[Mapping[int, Ends], Mapping[int, int], str | None]:
    try:
        numbers = desk.brokers.partitions(topic)
        return desk.brokers.ends(topic, numbers), desk.brokers.committed(topic, numbers), None
    except (Unavailable, Refused) as error:
        return {}, {}, str(error)


def summary(standings: Sequence[Standing], silence: str | None) -> str:
    """One line."""
    if silence is not None:
        return f"the ledger alone: {silence}"
    back = [str(one.partition) for one in standings if one.went_back]
    if back:
        return f"the log ends before the ledger on partition {', '.join(back)}: see tandem rewind --help"
    lag, late = sum(one.lag or 0 for one in standings), [one for one in standings if one.behind]
    if late:
        return f"{sum(one.lag or 0 for one in late):,} behind on {len(late)} of {len(standings)} partitions"
    return f"keeping up, {lag:,} on their way" if lag else "keeping up"
