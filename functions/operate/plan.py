"""Which records a redrive would send, by what the ledger and the marks say of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from functions.operate.marks import Mark, State
from functions.operate.place import Place

DEAD: Final = timedelta(minutes=5)  # a mark that has been `sending` so long was left by a redrive that died


@dataclass(slots=True)
class Plan:
    """What a redrive would do. `send` holds each record's place and its mark as it was seen, in order."""

    send: list[tuple[Place, Mark | None]] = field(default_factory=list)
    unfinished: list[Mark] = field(default_factory=list)  # left by a redrive that died
    before: int = 0  # redriven already
    busy: int = 0  # another redrive has them right now
    unsettled: int = 0  # the ledger has not passed them, so they come again by themselves


def plan(
    places: Iterable[Place],
    marks: Mapping[Place, Mark],
    settled: Callable[[Place], bool],
    now: datetime,
    *,
    again: bool = False,
) -> Plan:
    """Sort the records by what may be done with them; `again` sends what may have been sent before."""
    made = Plan()
    for place in sorted(set(places)):
        mark = marks.get(place)
        if not settled(place):
            made.unsettled += 1
        elif mark is not None and mark.state is State.SENDING and now - mark.at < DEAD:
            made.busy += 1
        elif mark is None or again:
            made.send.append((place, mark))
        elif mark.state is State.SENT:
            made.before += 1
        else:
            made.unfinished.append(mark)
    return made
