"""How fast to produce, and never more than the broker can keep. Time is passed in, in seconds."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

BURST: Final = 0.45  # of all records, at once
TRICKLE: Final = 0.01  # of all records, each second while the burst is being settled
TRICKLE_ENDS: Final = 0.60  # of all records: the rest is kept for the steady load
STEADY_SECONDS: Final = (6.0, 20.0)
STEADY_RATE: Final = 2_500  # records per second, within the bounds above
MARGIN: Final = 64  # bytes that the broker adds to a record, rounded up


class _Leg(NamedTuple):
    begin: float
    sent: int
    rate: float
    most: int


@dataclass(slots=True)
class Pace:
    """A burst, then a trickle until `steady` is called, then the rest at an even rate."""

    count: int
    _leg: _Leg | None = None

    @property
    def burst(self) -> int:
        """Records to send at once."""
        return max(1, round(self.count * BURST))

    def due(self, now: float) -> int:
        """How many records may have been sent by now; the first call ends the burst."""
        leg = self._leg
        if leg is None:
            self._leg = leg = _Leg(
                now, self.burst, self.count * TRICKLE, max(self.burst, int(self.count * TRICKLE_ENDS))
            )
        return min(leg.most, leg.sent + int(leg.rate * (now - leg.begin)))

    def steady(self, now: float) -> float:
        """From now on; the rate, in records per second."""
        sent = self.due(now)
        least, most = STEADY_SECONDS
        rate = (self.count - sent) / min(max((self.count - sent) / STEADY_RATE, least), most)
        self._leg = _Leg(now, sent, rate, self.count)
        return rate


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
