"""Fault injection between a writer and its stores: every port call passes through a Line.

The faults of a call, as a port sees them: not done (throttled, 5xx, a 409 for too long); done, but the answer was lost;
done late, after the caller gave up; retried by the client, so that the answer is about its own first attempt (S3's 412,
a transaction's failed condition); only some of several writes done.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from itertools import compress
from random import Random
from typing import Any, TypeVar

from functions.core.dead_letter import DeadLetter
from functions.core.effects import Count, Message, Newest
from functions.core.errors import Incomplete, Unavailable
from functions.core.intent import Gap, Intent
from functions.core.ports import (
    Clock,
    DeadLetters,
    DurableStop,
    LakeStore,
    Ledger,
    Opening,
    Position,
    Refusal,
    Source,
    Stores,
    Suspect,
    TableStore,
    TopicWriter,
)
from tests.simulation.scheduler import Scheduler
from tests.simulation.trace import describe
from tests.simulation.visits import Observer
from tests.simulation.watched import Violation

Answer = TypeVar("Answer")
Item = TypeVar("Item", DeadLetter, Newest, Message)


class Fault(Enum):
    NOT_DONE = "not done: throttled, 5xx or 409"
    ANSWER_LOST = "timed out, but done"
    LATE = "timed out, to be done later"
    TWICE = "tried twice by the client"


WRITE = (Fault.NOT_DONE, Fault.ANSWER_LOST, Fault.ANSWER_LOST, Fault.LATE, Fault.TWICE)
MAX_CALLS = 5_000  # in one schedule; about sixty are usual, a few hundred are rare
READ = (Fault.NOT_DONE, Fault.ANSWER_LOST)


@dataclass(slots=True)
class Progress(Observer):
    """What one settlement has done: neither a durable write nor an evaluation is repeated by a retry (law 11)."""

    durable: set[tuple[str, int]] = field(default_factory=set)
    evaluations: Counter[int] = field(default_factory=Counter)
    problem: str | None = None
    next: int = -1

    def is_at(self, next_: int) -> None:
        """The ledger's offset is known. If another writer moved it, its intents count."""
        if next_ != self.next:
            self.durable.clear()
        self.next = next_

    def refuse_repetition(self, what: str, items: Sequence[Item]) -> None:
        if repeated := [item.offset for item in items if (what, item.offset) in self.durable]:
            raise Violation(f"{what} of {repeated} is repeated, although it is durable")

    def acknowledge(self, what: str, items: Sequence[Item]) -> None:
        self.durable.update((what, item.offset) for item in items)

    def evaluated(self, number: int) -> None:
        """See Observer."""
        self.evaluations[number] += 1
        if self.evaluations[number] > 1:  # not raised here, where it would be the record's fault
            self.problem = f"record {number} is evaluated again by the same settlement"


@dataclass(slots=True)
class Line:
    """`chance`: the probability of a fault per call; `throttling`: of a write that does only some of its items.

    `trace`, if set, receives one line per call.
    """

    scheduler: Scheduler
    rng: Random
    chance: float
    throttling: float
    tally: Counter[str]
    trace: Callable[[str], None] | None

    def call(self, what: str, arguments: Any, act: Callable[[], Answer], faults: Sequence[Fault] = WRITE) -> Answer:
        """Pause, then perform the call, possibly with a fault. Raises Unavailable."""
        self.tally["calls"] += 1
        if self.tally["calls"] > MAX_CALLS:
            raise RuntimeError(f"{self.tally['calls']} calls, and the schedule has not ended")
        if problem := self.progress().problem:
            raise Violation(problem)
        self.scheduler.pause()
        if self.rng.random() >= self.chance:
            answer = act()
            self._note(what, arguments, answer)
            return answer
        fault = self.rng.choice(faults)
        self.tally["faults"] += 1
        if fault is Fault.TWICE:
            act()
            answer = act()
            self._note(what, arguments, f"{answer}   ({fault.value})")
            return answer
        self._note(what, arguments, f"Unavailable ({fault.value})")
        if fault is Fault.ANSWER_LOST:
            act()
        elif fault is Fault.LATE:
            self._later(what, arguments, act)
        raise Unavailable(f"{what}: {fault.value}")

    def call_each(
        self, what: str, items: Sequence[Item], act: Callable[[Sequence[Item]], Sequence[Refusal] | None]
    ) -> Sequence[Refusal]:
        """Perform a call with one request per item; as a further fault, only some of the requests are done."""
        progress = self.progress()
        progress.refuse_repetition(what, items)
        if len(items) > 1 and self.rng.random() < max(self.chance, self.throttling) / 2:
            done = [self.rng.random() < 0.5 for _ in items]
            some = list(compress(items, done))
            refused = {refusal.index for refusal in self.call(f"{what} (only some)", some, lambda: act(some)) or ()}
            durable = [item for index, item in enumerate(some) if index not in refused]
            progress.acknowledge(what, durable)
            self.tally["incomplete writes"] += 1
            raise Incomplete(f"{what}: only some were done", [item for item in items if item not in durable])
        refusals = self.call(what, items, lambda: act(items)) or ()
        self.tally["refusals"] += len(refusals)
        progress.acknowledge(what, items)
        return refusals

    def progress(self) -> "Progress":
        """Return what the settlement that the current task runs has done."""
        task = self.scheduler.current
        return task.thread.observer if task and isinstance(task.thread.observer, Progress) else Progress()

    def _later(self, what: str, arguments: Any, act: Callable[[], object]) -> None:
        def late() -> None:
            self.scheduler.pause()
            self._note(what, arguments, act())

        current = self.scheduler.current
        self.scheduler.spawn(f"late call of {current.name if current else '?'}", late)

    def _note(self, what: str, arguments: Any, answer: object) -> None:
        if self.trace is not None:
            current = self.scheduler.current
            self.trace(f"{current.name if current else '':24} {what} {describe(arguments)} -> {describe(answer)}")


@dataclass(frozen=True, slots=True)
class FaultyLedger:
    ledger: Ledger
    line: Line
    counts_per_advance: int

    def read(self, source: Source) -> Position | None:
        return self.line.call("ledger.read", f"partition {source.partition}", lambda: self.ledger.read(source), READ)

    def begin(self, source: Source, offset: int, topic_id: str | None) -> Position:
        arguments = f"partition {source.partition} at {offset}"
        return self.line.call("ledger.begin", arguments, lambda: self.ledger.begin(source, offset, topic_id))

    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        arguments = f"partition {source.partition} [{first}, {last}] {opening.day} by {opening.owner}"
        answer = self.line.call("ledger.open", arguments, lambda: self.ledger.open(source, first, last, opening))
        self.line.progress().is_at(answer[0].next)
        return answer

    def narrow(self, source: Source, position: Position, suspect: Suspect) -> bool:
        arguments = (f"partition {source.partition}", position, suspect)
        return self.line.call("ledger.narrow", arguments, lambda: self.ledger.narrow(source, position, suspect))

    def release(self, source: Source, owner: str) -> None:
        arguments = f"partition {source.partition} by {owner}"
        self.line.call("ledger.release", arguments, lambda: self.ledger.release(source, owner))

    def stop(self, source: Source, stop: DurableStop) -> None:
        arguments = f"partition {source.partition} [{stop.first}, {stop.last}] {stop.reason.value}"
        self.line.call("ledger.stop", arguments, lambda: self.ledger.stop(source, stop))

    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        arguments = (
            f"partition {source.partition} ({position.next}, {position.step}) to ({target.next}, {target.step})",
            gap or "no gap",
            *counts,
        )
        done = self.line.call(
            "ledger.advance", arguments, lambda: self.ledger.advance(source, position, target, counts, gap)
        )
        if not done:  # what another writer does to the slice is not this settlement's progress
            self.line.progress().durable.clear()
        return done


@dataclass(frozen=True, slots=True)
class FaultyLake:
    lake: LakeStore
    line: Line

    def put(self, source: Source, day: date, intent: Intent) -> bool:
        arguments = (f"partition {source.partition} day {day}", intent)
        put = self.line.call("lake.put", arguments, lambda: self.lake.put(source, day, intent))
        if not put:  # another intent counts, which may end elsewhere
            self.line.progress().durable.clear()
        return put

    def get(self, source: Source, day: date, offset: int) -> Intent | None:
        arguments = f"partition {source.partition} day {day} {offset}"
        return self.line.call("lake.get", arguments, lambda: self.lake.get(source, day, offset), READ)


@dataclass(frozen=True, slots=True)
class FaultyTable:
    name: str
    table: TableStore
    line: Line

    def put(self, candidates: Sequence[Newest]) -> Sequence[Refusal]:
        return self.line.call_each(f"table.put {self.name}", candidates, self.table.put)


@dataclass(frozen=True, slots=True)
class FaultyTopic:
    name: str
    topic: TopicWriter
    line: Line

    def send(self, messages: Sequence[Message]) -> Sequence[Refusal]:
        return self.line.call_each(f"topic.send {self.name}", messages, self.topic.send)


@dataclass(frozen=True, slots=True)
class FaultyDeadLetters:
    letters: DeadLetters
    line: Line

    def store(self, letters: Sequence[DeadLetter]) -> None:
        self.line.call_each("dead_letters.store", letters, self.letters.store)


@dataclass(frozen=True, slots=True)
class PausingClock:
    """A clock does not fail, but a writer may stall between reading it and using the time."""

    now: Clock
    line: Line

    def __call__(self) -> datetime:
        self.line.scheduler.pause()
        return self.now()


def faulty(stores: Stores, line: Line) -> Stores:
    """Return the same stores, reached through a line."""
    return Stores(
        FaultyLedger(stores.ledger, line, stores.ledger.counts_per_advance),
        FaultyLake(stores.lake, line),
        {name: FaultyTable(name, table, line) for name, table in stores.tables.items()},
        {name: FaultyTopic(name, topic, line) for name, topic in stores.topics.items()},
        FaultyDeadLetters(stores.dead_letters, line),
        PausingClock(stores.now, line),
    )
