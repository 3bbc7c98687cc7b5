"""Planted flaws: a simulation that does not find them would prove nothing.

Each flaw wraps stores, changes a driver, or replaces a function of the core (see core_flaws) while a schedule runs. An
unused argument is what the flaw ignores.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from unittest.mock import patch

from greenlet import getcurrent, greenlet

from functions.adapters.memory import MemoryLake, MemoryLedger, MemoryTable
from functions.core.effects import Count, Newest
from functions.core.intent import Gap, Intent
from functions.core.ports import DurableStop, Opening, Position, Refusal, Source, Stores, Suspect
from tests.simulation import core_flaws as flaws

Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Mutation:
    """`change` returns the stores with the flaw. `patches`: (module or class, name, flawed function)."""

    name: str
    description: str
    change: Callable[[Stores, Pause], Stores] | None = None
    commits_first: bool = False
    patches: Sequence[tuple[Any, str, Any]] = ()

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Change the core while a schedule runs."""
        with ExitStack() as stack:
            for target, name, flawed in self.patches:
                stack.enter_context(patch.object(target, name, flawed))
            yield

    def stores(self, stores: Stores, pause: Pause) -> Stores:
        return stores if self.change is None else self.change(stores, pause)


NONE: Final = Mutation("none", "no flaw")


@dataclass(slots=True)
class _Lake:
    lake: MemoryLake

    def put(self, source: Source, day: date, intent: Intent) -> bool:
        return self.lake.put(source, day, intent)

    def get(self, source: Source, day: date, offset: int) -> Intent | None:
        return self.lake.get(source, day, offset)


class _Overwriting(_Lake):
    def put(self, source: Source, day: date, intent: Intent) -> bool:
        self.lake.objects[source, day, intent.cover.next] = intent
        return True


class _WithoutEmpty(_Lake):
    def put(self, source: Source, day: date, intent: Intent) -> bool:
        rows, next_ = intent.rows, intent.cover.next
        if len(rows) or rows.deletes or (source, day, next_) in self.lake.objects:
            return self.lake.put(source, day, intent)
        return True


@dataclass(slots=True)
class _OwnRows(_Lake):
    """A writer that finds an object at its key continues with the rows that it would have put."""

    own: dict[greenlet, Intent] = field(default_factory=dict)

    def put(self, source: Source, day: date, intent: Intent) -> bool:
        self.own[getcurrent()] = intent
        return self.lake.put(source, day, intent)

    def get(self, source: Source, day: date, offset: int) -> Intent | None:  # noqa: ARG002
        return self.own.get(getcurrent())


@dataclass(slots=True)
class _Ledger:
    ledger: MemoryLedger
    pause: Pause

    @property
    def counts_per_advance(self) -> int:
        return self.ledger.counts_per_advance

    def read(self, source: Source) -> Position | None:
        return self.ledger.read(source)

    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        return self.ledger.open(source, first, last, opening)

    def begin(self, source: Source, offset: int, topic_id: str | None) -> Position:
        return self.ledger.begin(source, offset, topic_id)

    def narrow(self, source: Source, position: Position, suspect: Suspect) -> bool:
        return self.ledger.narrow(source, position, suspect)

    def release(self, source: Source, owner: str) -> None:
        self.ledger.release(source, owner)

    def stop(self, source: Source, stop: DurableStop) -> None:
        self.ledger.stop(source, stop)

    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        return self.ledger.advance(source, position, target, counts, gap)


class _Unconditional(_Ledger):
    def advance(
        self,
        source: Source,
        position: Position,  # noqa: ARG002 - this flaw ignores it
        target: Position,
        counts: Sequence[Count],
        gap: Gap | None,
    ) -> bool:
        return self.ledger.advance(source, self.ledger.positions[source], target, counts, gap)


class _WithoutStep(_Ledger):
    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        step = self.ledger.positions[source].step
        return self.ledger.advance(source, replace(position, step=step), target, counts, gap)


class _CountsBeside(_Ledger):
    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        for count in counts:
            self.ledger.counters[count.counter, count.group, count.bucket] += count.amount
        self.pause()
        return self.ledger.advance(source, position, target, (), gap)


class _WithoutGap(_Ledger):
    def advance(
        self,
        source: Source,
        position: Position,
        target: Position,
        counts: Sequence[Count],
        gap: Gap | None,  # noqa: ARG002 - this flaw ignores it
    ) -> bool:
        return self.ledger.advance(source, position, target, counts, None)


class _OwnDay(_Ledger):
    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        position, previous = self.ledger.open(source, first, last, opening)
        return (replace(position, day=opening.day) if position.next <= last else position), previous


class _StopInMemory(_Ledger):
    def stop(self, source: Source, stop: DurableStop) -> None:
        """Forget it."""


class _PastStops(_Ledger):
    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        self.ledger.positions[source] = replace(self.ledger.positions[source], stop=None)
        return self.ledger.advance(source, position, target, counts, gap)


class _WithoutWindow(_Ledger):
    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        position, previous = self.ledger.open(source, first, last, opening)
        return replace(position, window=()), previous


class _OwnLake(_Ledger):
    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        position, previous = self.ledger.open(source, first, last, opening)
        return replace(position, has_object=opening.has_object), previous


class _BeginsInMemory(_Ledger):
    def begin(self, source: Source, offset: int, topic_id: str | None) -> Position:
        position = self.ledger.positions.get(source) or Position(offset, 0, None, -1)
        return replace(position, topic_id=topic_id)


class _NeverReleased(_Ledger):
    def release(self, source: Source, owner: str) -> None:
        """Forget it."""


@dataclass(slots=True)
class _LastWins:
    table: MemoryTable

    def put(self, candidates: Sequence[Newest]) -> Sequence[Refusal]:
        refusals = self.table.put(candidates)
        refused = {refusal.index for refusal in refusals}
        self.table.rows.update({row.key: row for index, row in enumerate(candidates) if index not in refused})
        return refusals


def _lake(flawed: Callable[[MemoryLake], _Lake]) -> Callable[[Stores, Pause], Stores]:
    def change(stores: Stores, _: Pause) -> Stores:
        return replace(stores, lake=flawed(stores.lake)) if isinstance(stores.lake, MemoryLake) else stores

    return change


def _ledger(flawed: Callable[[MemoryLedger, Pause], _Ledger]) -> Callable[[Stores, Pause], Stores]:
    def change(stores: Stores, pause: Pause) -> Stores:
        assert isinstance(stores.ledger, MemoryLedger)
        return replace(stores, ledger=flawed(stores.ledger, pause))

    return change


def _tables(stores: Stores, _: Pause) -> Stores:
    tables = {name: _LastWins(table) for name, table in stores.tables.items() if isinstance(table, MemoryTable)}
    return replace(stores, tables=tables)


MUTATIONS: Final = {
    mutation.name: mutation
    for mutation in (
        Mutation("overwriting-put", "the lake's put replaces an existing object", _lake(_Overwriting)),
        Mutation("no-empty-object", "a slice without rows leaves no object", _lake(_WithoutEmpty)),
        Mutation("own-rows", "the rows that are rolled forward are not the object's", _lake(_OwnRows)),
        Mutation("own-day", "the object's path has the writer's day, not the ledger's", _ledger(_OwnDay)),
        Mutation("unconditional-transaction", "the transaction has no condition", _ledger(_Unconditional)),
        Mutation("no-step", "the transaction's condition ignores the step", _ledger(_WithoutStep)),
        Mutation("counts-beside", "the counts precede the transaction instead of being in it", _ledger(_CountsBeside)),
        Mutation("no-gap", "the transaction records no gap", _ledger(_WithoutGap)),
        Mutation("last-write-wins", "the table stores every candidate", _tables),
        Mutation("commit-first", "the runtime commits before it settles", commits_first=True),
        Mutation("row-stops-slice", "a row that a sink refuses stops its slice", patches=flaws.STOPPED_BY_A_ROW),
        Mutation("own-counters", "an adopted slice counts as the running release does", patches=flaws.OWN_COUNTERS),
        Mutation("own-lake", "whether N has an object is not fixed by the first open", _ledger(_OwnLake)),
        Mutation("begin-in-memory", "the first assignment is not recorded", _ledger(_BeginsInMemory)),
        Mutation("stop-in-memory", "a stop is not recorded", _ledger(_StopInMemory)),
        Mutation("past-stops", "the transaction's condition ignores a stop", _ledger(_PastStops)),
        Mutation("window-in-memory", "a restart forgets the flood window", _ledger(_WithoutWindow)),
        Mutation("escaping-errors", "a record's SystemExit ends the attempt", patches=flaws.ESCAPING_ERRORS),
        Mutation("forgetful-narrowing", "each death narrows the whole slice", patches=flaws.FORGETFUL_NARROWING),
        Mutation("hasty-verdict", "a record is lethal after one attempt at it alone", patches=flaws.HASTY_VERDICT),
        Mutation("wrong-record", "attempts at another record count against this one", patches=flaws.WRONG_RECORD),
        Mutation("no-acquittal", "a writer that returns stays counted as ended", patches=flaws.NO_ACQUITTAL),
        Mutation("never-released", "attempts that end in good order leave a suspect", _ledger(_NeverReleased)),
        Mutation("first-row-again", "a throttled sink starts at its first row", patches=flaws.FIRST_ROW_AGAIN),
        Mutation("effects-again", "a throttled transaction repeats all effects", patches=flaws.ALL_EFFECTS_AGAIN),
        Mutation("letters-again", "a throttled letter repeats all letters", patches=flaws.ALL_LETTERS_AGAIN),
        Mutation("evaluated-again", "each transaction evaluates the slice", patches=flaws.EVALUATED_AGAIN),
        Mutation("deletes-by-time", "rows order by event time, deletes by Kafka's", patches=flaws.DELETES_BY_TIME),
        Mutation(
            "erased-ahead", "an erasure replaces objects that the ledger has not passed", patches=flaws.ERASED_AHEAD
        ),
        Mutation("guessed-keys", "a JSON key is taken for text", patches=flaws.GUESSED_KEYS),
    )
}
