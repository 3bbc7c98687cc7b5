"""How fast to produce: a burst at once, then steady load, never more than the broker can keep. Time is passed in."""

from dataclasses import dataclass, field
from typing import Final

STEADY_SECONDS: Final = (6.0, 25.0)
STEADY_RATE: Final = 4_000  # records per second, within the bounds above
MARGIN: Final = 64  # bytes that the broker adds to a record, rounded up


@dataclass(frozen=True, slots=True)
class Plan:
    """`burst` records at once, then `rate` records per second up to `count`."""

    count: int
    burst: int
    rate: float

    def due(self, seconds: float) -> int:
        """How many records may be sent `seconds` after the end of the burst."""
        return min(self.count, self.burst + int(self.rate * seconds))


def plan(count: int) -> Plan:
    """Half of the records in a burst."""
    burst = (count + 1) // 2
    least, most = STEADY_SECONDS
    seconds = min(max((count - burst) / STEADY_RATE, least), most)
    return Plan(count, burst, max(count - burst, 1) / seconds)


@dataclass(slots=True)
class Room:
    """What lies unsettled in each partition, in bytes; `most` None: the broker keeps everything."""

    most: int | None
    _totals: dict[int, list[int]] = field(default_factory=dict)  # bytes of all records before each offset

    def takes(self, partition: int, size: int, settled: int) -> bool:
        """Whether a record of `size` bytes fits, given the next offset to settle; one always fits if none waits."""
        if self.most is None:
            return True
        totals = self._totals.setdefault(partition, [0])
        waiting = totals[-1] - totals[min(settled, len(totals) - 1)]
        if waiting and waiting + size > self.most:
            return False
        totals.append(totals[-1] + size + MARGIN)
        return True
