"""The flood limit: when most records are rejected, the fault is more likely ours than theirs.

Settling must then stop, loudly, before the topic drains into the dead letters. A gate watches one partition; it is
asked before anything is stored, and counts a slice only once the slice has passed, so a slice that comes again
after a flood is refused again.
"""

from dataclasses import dataclass

from functions.core.errors import Flood


@dataclass(frozen=True, slots=True)
class FloodLimit:
    """Refuse when more than `ratio` (0 to 1) of the last `over` records or more are rejects; 1.0 never refuses."""

    ratio: float = 0.5
    over: int = 1000


@dataclass(slots=True)
class FloodGate:
    """The recent slices of one partition, as (records, rejects).

    Replaced whole, never changed: an attempt that its runtime has left behind may still be on another thread.
    """

    limit: FloodLimit
    _recent: tuple[tuple[int, int], ...] = ()

    def check(self, records: int, rejects: int) -> None:
        """Raise Flood if this slice, with the recent ones, exceeds the limit."""
        seen = records + sum(r for r, _ in self._recent)
        rejected = rejects + sum(r for _, r in self._recent)
        if seen >= self.limit.over and rejected > seen * self.limit.ratio:
            raise Flood(
                f"{rejected} of the last {seen} records were rejected, the limit is {self.limit.ratio:.0%}: nothing "
                "more is settled until the pipeline is mended or its flood limit raised"
            )

    def passed(self, records: int, rejects: int) -> None:
        """Count a slice that was settled, and forget what has left the window."""
        recent = (*self._recent, (records, rejects))
        while sum(r for r, _ in recent) - recent[0][0] >= self.limit.over:
            recent = recent[1:]
        self._recent = recent
