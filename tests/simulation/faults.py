"""The line between a writer and its stores: every port call passes here, and here it goes wrong.

What can go wrong with a call, seen from the port: it was not done (throttled, 5xx, a 409 for too long); it was done and
the answer was lost; it will be done later, when nobody waits for it any more; the client tried again by itself and was
answered about its own first try (S3's 412, a transaction's failed condition); of several writes only some were done.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from random import Random
from typing import Any, TypeVar

from functions.core.dead_letter import DeadLetter
from functions.core.effects import Count, Message, Newest
from functions.core.errors import Unavailable
from functions.core.ports import Cover, DeadLetters, Gap, Lake, Ledger, Position, Source, Stores, Table, Today, Topic
from functions.core.rows import Rows
from tests.simulation.scheduler import Scheduler
from tests.simulation.trace import short

Answer = TypeVar("Answer")
One = TypeVar("One", DeadLetter, Newest, Message)


class Fault(Enum):
    NOT_DONE = "not done: throttled, 5xx or 409"
    ANSWER_LOST = "timed out, but done"
    LATE = "timed out, to be done later"
    TWICE = "tried twice by the client"


WRITE = (Fault.NOT_DONE, Fault.ANSWER_LOST, Fault.ANSWER_LOST, Fault.LATE, Fault.TWICE)
ENDLESS = 5_000  # calls in one schedule: they take about sixty, and seldom some hundred
READ = (Fault.NOT_DONE, Fault.ANSWER_LOST)


@dataclass(slots=True)
class Line:
    """`chance`: of a fault, for each call. `tell` takes a line of the trace, if somebody reads it."""

    scheduler: Scheduler
    rng: Random
    chance: float
    tally: Counter[str]
    tell: Callable[[str], None] | None

    def call(self, what: str, told: Any, act: Callable[[], Answer], faults: Sequence[Fault] = WRITE) -> Answer:
        """Pause, then do it, or not, or not only once. Raises Unavailable."""
        self.tally["calls"] += 1
        if self.tally["calls"] > ENDLESS:
            raise RuntimeError(f"{self.tally['calls']} calls and no end")
        self.scheduler.pause()
        if self.rng.random() >= self.chance:
            answer = act()
            self._note(what, told, answer)
            return answer
        fault = self.rng.choice(faults)
        self.tally["faults"] += 1
        if fault is Fault.TWICE:
            act()
            answer = act()
            self._note(what, told, f"{answer}   ({fault.value})")
            return answer
        self._note(what, told, f"Unavailable ({fault.value})")
        if fault is Fault.ANSWER_LOST:
            act()
        elif fault is Fault.LATE:
            self._later(what, told, act)
        raise Unavailable(f"{what}: {fault.value}")

    def call_each(self, what: str, items: Sequence[One], act: Callable[[Sequence[One]], None]) -> None:
        """A call that stands for a request an item: besides all else, only some may be done."""
        if len(items) > 1 and self.rng.random() < self.chance / 2:
            items = [item for item in items if self.rng.random() < 0.5]
            self.call(f"{what} (only some)", items, lambda: act(items))
            raise Unavailable(f"{what}: only some were done")
        self.call(what, items, lambda: act(items))

    def _later(self, what: str, told: Any, act: Callable[[], object]) -> None:
        def late() -> None:
            self.scheduler.pause()
            self._note(what, told, act())

        current = self.scheduler.current
        self.scheduler.spawn(f"late call of {current.name if current else '?'}", late)

    def _note(self, what: str, told: Any, answer: object) -> None:
        if self.tell is not None:
            current = self.scheduler.current
            self.tell(f"{current.name if current else '':24} {what} {short(told)} -> {short(answer)}")


@dataclass(frozen=True, slots=True)
class FaultyLedger:
    ledger: Ledger
    line: Line
    counts_per_advance: int

    def read(self, source: Source) -> Position | None:
        return self.line.call("ledger.read", f"partition {source.partition}", lambda: self.ledger.read(source), READ)

    def open(self, source: Source, first: int, last: int, today: date) -> Position:
        told = f"partition {source.partition} [{first}, {last}] {today}"
        return self.line.call("ledger.open", told, lambda: self.ledger.open(source, first, last, today))

    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:
        told = (
            f"partition {source.partition} ({at.next}, {at.step}) to ({to.next}, {to.step})",
            gap or "no gap",
            *counts,
        )
        return self.line.call("ledger.advance", told, lambda: self.ledger.advance(source, at, to, counts, gap))


@dataclass(frozen=True, slots=True)
class FaultyLake:
    lake: Lake
    line: Line

    def put(self, source: Source, day: date, cover: Cover, rows: Rows) -> bool:
        told = (f"partition {source.partition} day {day}", cover, rows)
        return self.line.call("lake.put", told, lambda: self.lake.put(source, day, cover, rows))

    def get(self, source: Source, day: date, offset: int) -> tuple[Cover, Rows]:
        told = f"partition {source.partition} day {day} {offset}"
        return self.line.call("lake.get", told, lambda: self.lake.get(source, day, offset), READ)


@dataclass(frozen=True, slots=True)
class FaultyTable:
    table: Table
    line: Line

    def put(self, rows: Sequence[Newest]) -> None:
        self.line.call_each("table.put", rows, self.table.put)


@dataclass(frozen=True, slots=True)
class FaultyTopic:
    topic: Topic
    line: Line

    def send(self, messages: Sequence[Message]) -> None:
        self.line.call_each("topic.send", messages, self.topic.send)


@dataclass(frozen=True, slots=True)
class FaultyDeadLetters:
    letters: DeadLetters
    line: Line

    def store(self, letters: Sequence[DeadLetter]) -> None:
        self.line.call_each("dead_letters.store", letters, self.letters.store)


@dataclass(frozen=True, slots=True)
class PausingToday:
    """A clock does not fail, but a writer may stall between looking at it and using what it saw."""

    today: Today
    line: Line

    def __call__(self) -> date:
        self.line.scheduler.pause()
        return self.today()


def faulty(stores: Stores, line: Line) -> Stores:
    """The same stores at the far end of a line."""
    return Stores(
        FaultyLedger(stores.ledger, line, stores.ledger.counts_per_advance),
        FaultyLake(stores.lake, line) if stores.lake else None,
        {name: FaultyTable(table, line) for name, table in stores.tables.items()},
        {name: FaultyTopic(topic, line) for name, topic in stores.topics.items()},
        FaultyDeadLetters(stores.dead_letters, line),
        PausingToday(stores.today, line),
    )
