"""How many records a lane's slices hold, so that an attempt ends well before the stall limit."""

from dataclasses import dataclass, field
from typing import Final

FIRST_RECORDS: Final = 1000  # of a lane's first slice: it is not known yet how slow the pipeline's code is


@dataclass(slots=True)
class Pace:
    """`records` is the maximum of the next slice: it grows to `max_records` while attempts end in `max_seconds`."""

    max_records: int
    max_seconds: float
    records: int = field(init=False)

    def __post_init__(self) -> None:
        self.records = min(self.max_records, FIRST_RECORDS)

    def settled(self, records: int, seconds: float) -> None:
        """Adapt to a slice that took `seconds` to settle."""
        if seconds > self.max_seconds:
            self.records = max(1, int(records * self.max_seconds / seconds))
        elif records >= self.records:
            self.records = min(self.max_records, 2 * self.records)

    def cut_off(self, records: int) -> None:
        """Adapt to a slice that was given up before it was settled."""
        self.records = max(1, records // 2)
