"""Stores that remember what happened to them, atomically with each call: the checks start from the ledger's moves.

Some guarantees are checked at once, because only the moment shows whether they hold:
- no move while the partition is stopped, or after its topic was recreated and before it was stopped;
- an attempt that ended in good order leads to no suspect;
- a record is found lethal within MAX_DEATHS restarts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from functions.core.effects import Count
from functions.core.intent import Gap, Intent
from functions.core.ports import (
    DurableStop,
    LakeStore,
    Ledger,
    Opening,
    Position,
    Source,
    StopReason,
    Suspect,
)
from tests.simulation.releases import Release
from tests.simulation.scheduler import Scheduler
from tests.simulation.visits import Observer

MAX_DEATHS: Final = 6  # of one record's processes, if nothing else ends or overtakes an attempt at its slice


class Violation(Exception):  # noqa: N818 - it reports a broken guarantee, not an error of the checks
    """A guarantee that did not hold in a schedule."""


@dataclass(frozen=True, slots=True)
class Move:
    """The ledger moved from `start` to `end`, over a gap or not, by a transaction of `mover`.

    `has_object`: whether the lake holds an intent. `author`: the release that made the intent. `clock`: the greatest
    timestamp of the rows and deletes settled before, as the mover read it. `counts`: those of the last transaction.
    """

    start: int
    end: int
    gap: Gap | None
    has_object: bool
    mover: Release
    author: Release
    clock: int
    counts: tuple[Count, ...]


@dataclass(slots=True)
class History:
    """What happened to one partition's ledger item."""

    began: int | None = None
    promised: int | None = None  # where its first assignment said that it begins
    moves: list[Move] = field(default_factory=list)
    stops: list[DurableStop] = field(default_factory=list)
    stopped: bool = False
    recreated: bool = False  # and not stopped since
    accepted: int = -1
    resets: list[int] = field(default_factory=list)  # the numbers of moves before each resumed flood
    authors: dict[int, Release] = field(default_factory=dict)
    attempts: dict[str, str] = field(default_factory=dict)  # owner: "open", "released" or "dead"
    charged: dict[int, set[str]] = field(default_factory=dict)  # by offset: owners that did not return to it alone
    most_charged: Counter[int] = field(default_factory=Counter)  # by offset: the greatest number of them
    found: dict[str, tuple[str, str]] = field(default_factory=dict)  # by owner: the owner before, and its state then
    forgotten: dict[str, tuple[str, str]] = field(default_factory=dict)
    deaths: Counter[int] = field(default_factory=Counter)  # of processes, by the lethal record's offset
    damaged: bool = False
    has_faults: bool = True

    def open(self, owner: str, previous: str | None, *, is_late: bool) -> None:
        """An attempt has begun; or a late call of it, of which nobody reads the answer, has arrived."""
        if not is_late:
            self.forget(owner)
        if self.attempts.get(owner) != "dead":
            self.attempts[owner] = "open"
        if is_late and previous != owner:
            self.deaths.clear()
        elif previous is not None and previous != owner:
            self.found[owner] = previous, self.attempts.get(previous, "open")

    def forget(self, owner: str) -> None:
        """The answer to an open was lost, and with it the only evidence that the attempt before had ended."""
        found = self.found.pop(owner, None)
        if found is not None:
            self.forgotten[owner] = found  # a late call may record it nevertheless
            if self.has_faults:
                self.deaths.clear()

    def narrow(self, owner: str, suspect: Suspect) -> None:
        """A suspect is recorded, because the attempt that `owner` found is thought to have ended with its process."""
        for charged in self.charged.values():
            charged.discard(owner)
        found = self.found if owner in self.found else self.forgotten
        previous, state = found.pop(owner, ("", ""))
        if state == "released":
            raise Violation(f"{previous} ended in good order, but {owner} suspects {suspect}")
        if state == "open":
            self.deaths.clear()  # writers that overlap narrow the slice, too, and then it is not where records ended
        for offset in [offset for offset in self.deaths if offset > suspect.end]:
            del self.deaths[offset]  # this slice ends before the one with which the process ended
        if suspect.alone and previous:
            charged = self.charged.setdefault(suspect.end, set())
            charged.add(previous)
            self.most_charged[suspect.end] = max(self.most_charged[suspect.end], len(charged))

    def end_of_attempts(self, process: str) -> bool:
        """Note that a process has ended, and return whether an open attempt has ended with it."""
        ended = [o for o, state in self.attempts.items() if o.split("/")[0] == process and state == "open"]
        self.attempts |= dict.fromkeys(ended, "dead")
        return bool(ended)


@dataclass(slots=True)
class Histories:
    """The histories of all partitions, and what happened how often."""

    tally: Counter[str]
    scheduler: Scheduler
    by_source: dict[Source, History] = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        """Whether a late call is running: it is no process's."""
        task = self.scheduler.current
        return task is not None and type(task.thread.observer) is Observer

    def __getitem__(self, source: Source) -> History:
        history = self.by_source.get(source)
        if history is None:
            history = self.by_source[source] = History()
        return history


@dataclass(slots=True)
class WatchedLedger:
    """The ledger as the processes of one release use it."""

    ledger: Ledger
    histories: Histories
    release_: Release
    counts_per_advance: int

    def read(self, source: Source) -> Position | None:
        return self.ledger.read(source)

    def begin(self, source: Source, offset: int, topic_id: str | None) -> Position:
        history = self.histories[source]
        position = self.ledger.begin(source, offset, topic_id)
        if history.began is None:
            history.began = position.next
        return position

    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        history = self.histories[source]
        position, previous = self.ledger.open(source, first, last, opening)
        if history.began is None:
            history.began = position.next
        if position.next <= last and position.stop is None:
            history.open(opening.owner, previous, is_late=self.histories.is_late)
        self.histories.tally["steps taken over"] += position.step > 0
        return position, previous

    def narrow(self, source: Source, position: Position, suspect: Suspect) -> bool:
        history, owner = self.histories[source], position.owner or ""
        done = self.ledger.narrow(source, position, suspect)
        if done:
            history.narrow(owner, suspect)
            self.histories.tally["slices narrowed"] += 1
        return done

    def release(self, source: Source, owner: str) -> None:
        self.ledger.release(source, owner)
        history = self.histories[source]
        if self.histories.is_late:
            history.deaths.clear()
        else:
            history.forget(owner)
        if history.attempts.get(owner) == "open":
            history.attempts[owner] = "released"
        else:
            history.deaths.clear()  # a late call of a process that has ended since

    def stop(self, source: Source, stop: DurableStop) -> None:
        history = self.histories[source]
        history.stops.append(stop)
        history.stopped = self.ledger.read(source) is not None
        if stop.reason is StopReason.OFFSETS_WENT_BACK:
            history.recreated = False
        self.histories.tally[f"stops: {stop.reason.value}"] += 1
        self.ledger.stop(source, stop)

    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        history, before = self.histories[source], self.ledger.read(source)
        done = self.ledger.advance(source, position, target, counts, gap)
        if not done:
            return False
        if history.stopped or history.recreated:
            raise Violation(f"{source}: settled [{position.next}, {target.next - 1}] past a stop")
        if target.next > position.next:
            author = history.authors.get(position.next, self.release_) if position.has_object else self.release_
            history.moves.append(
                Move(
                    position.next, target.next, gap, bool(position.has_object),
                    self.release_, author, position.clock, tuple(counts),
                )
            )  # fmt: skip
            overtakes = before is not None and before.owner not in {None, position.owner}
            if overtakes or any(offset < target.next for offset in history.deaths):
                history.deaths.clear()  # the ledger forgets what it knew, the search for the next record begins
        return True


@dataclass(slots=True)
class WatchedLake:
    """The lake as the processes of one release use it."""

    lake: LakeStore
    histories: Histories
    release: Release

    def put(self, source: Source, day: date, intent: Intent) -> bool:
        if self.lake.put(source, day, intent):
            self.histories[source].authors.setdefault(intent.cover.next, self.release)
            return True
        return False

    def get(self, source: Source, day: date, offset: int) -> Intent | None:
        return self.lake.get(source, day, offset)
