"""The flood limit: when most records are rejected, the fault is probably the pipeline's, not the records'.

Settling then stops before the whole topic becomes dead letters. The window of recent slices is part of the ledger, so
that neither a restart nor another runtime forgets it. It is pure data: pairs of (records, rejects), oldest first.
"""

from dataclasses import dataclass
from typing import Final

Window = tuple[tuple[int, int], ...]
PARTS: Final = 8  # slices that fit an eighth of the window together share a pair: it never has more than 17


@dataclass(frozen=True, slots=True)
class FloodLimit:
    """How many of the recent records may be rejects."""

    ratio: float = 0.5
    """The share of rejects that is still accepted, from 0 to 1; 1 never refuses."""

    over: int = 1000
    """The number of recent records, or more, among which rejects are counted."""

    def excess(self, window: Window, records: int, rejects: int) -> str | None:
        """Return why a slice, together with the recent ones, exceeds the limit; None if it does not."""
        total = records + sum(count for count, _ in window)
        rejected = rejects + sum(count for _, count in window)
        if total < self.over or rejected <= total * self.ratio:
            return None
        return f"{rejected} of the last {total} records were rejected, the limit is {self.ratio:.0%}"

    def extended(self, window: Window, records: int, rejects: int) -> Window:
        """Return the window with a settled slice, without the slices that are no longer in it."""
        if window and window[-1][0] + records <= self.over // PARTS:
            *window_head, (last_records, last_rejects) = window
            window = (*window_head, (last_records + records, last_rejects + rejects))
        else:
            window = (*window, (records, rejects))
        while sum(count for count, _ in window) - window[0][0] >= self.over:
            window = window[1:]
        return window
