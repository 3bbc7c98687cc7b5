"""Flaws, put in on purpose: a simulation that does not find these would prove nothing.

Each wraps stores, or changes what a driver does; the core under test stays as it is. An argument that nobody reads is
what the flaw leaves out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from greenlet import getcurrent, greenlet

from functions.adapters.memory import MemoryLake, MemoryLedger, MemoryTable
from functions.core.effects import Count, Newest
from functions.core.ports import Cover, Gap, Position, Source, Stores
from functions.core.rows import Rows

Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Mutation:
    """`change`: the stores with the flaw in them."""

    name: str
    says: str
    change: Callable[[Stores, Pause], Stores] | None = None
    commits_first: bool = False

    def stores(self, stores: Stores, pause: Pause) -> Stores:
        return stores if self.change is None else self.change(stores, pause)


NONE: Final = Mutation("none", "as it is")


@dataclass(slots=True)
class _Lake:
    lake: MemoryLake

    def put(self, source: Source, day: date, cover: Cover, rows: Rows) -> bool:
        return self.lake.put(source, day, cover, rows)

    def get(self, source: Source, day: date, offset: int) -> tuple[Cover, Rows]:
        return self.lake.get(source, day, offset)


class _Overwriting(_Lake):
    def put(self, source: Source, day: date, cover: Cover, rows: Rows) -> bool:
        self.lake.objects[source, day, cover.next] = (cover, rows)
        return True


class _WithoutEmpty(_Lake):
    def put(self, source: Source, day: date, cover: Cover, rows: Rows) -> bool:
        if len(rows) or rows.deletes or (source, day, cover.next) in self.lake.objects:
            return self.lake.put(source, day, cover, rows)
        return True


@dataclass(slots=True)
class _OwnRows(_Lake):
    """A writer that finds its key taken goes on with what it would have put."""

    wanted: dict[greenlet, tuple[Cover, Rows]] = field(default_factory=dict)

    def put(self, source: Source, day: date, cover: Cover, rows: Rows) -> bool:
        self.wanted[getcurrent()] = (cover, rows)
        return self.lake.put(source, day, cover, rows)

    def get(self, source: Source, day: date, offset: int) -> tuple[Cover, Rows]:  # noqa: ARG002
        return self.wanted[getcurrent()]


@dataclass(slots=True)
class _Ledger:
    ledger: MemoryLedger
    pause: Pause

    @property
    def counts_per_advance(self) -> int:
        return self.ledger.counts_per_advance

    def read(self, source: Source) -> Position | None:
        return self.ledger.read(source)

    def open(self, source: Source, first: int, last: int, today: date) -> Position:
        return self.ledger.open(source, first, last, today)

    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:
        return self.ledger.advance(source, at, to, counts, gap)


class _Unconditional(_Ledger):
    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:  # noqa: ARG002
        return self.ledger.advance(source, self.ledger.positions[source], to, counts, gap)


class _WithoutStep(_Ledger):
    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:
        step = self.ledger.positions[source].step
        return self.ledger.advance(source, replace(at, step=step), to, counts, gap)


class _CountsBeside(_Ledger):
    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:
        for count in counts:
            self.ledger.counters[count.counter, count.group, count.bucket] += count.amount
        self.pause()
        return self.ledger.advance(source, at, to, (), gap)


class _WithoutGap(_Ledger):
    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:  # noqa: ARG002
        return self.ledger.advance(source, at, to, counts, None)


class _OwnDay(_Ledger):
    def open(self, source: Source, first: int, last: int, today: date) -> Position:
        at = self.ledger.open(source, first, last, today)
        return replace(at, day=today) if at.next <= last else at


@dataclass(slots=True)
class _LastWins:
    table: MemoryTable

    def put(self, rows: Sequence[Newest]) -> None:
        self.table.rows.update({row.key: row for row in rows})


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
        Mutation("overwriting-put", "the lake's put replaces what is there", _lake(_Overwriting)),
        Mutation("no-empty-object", "a slice without rows leaves no object", _lake(_WithoutEmpty)),
        Mutation("own-rows", "what is rolled forward is not what the object says", _lake(_OwnRows)),
        Mutation("own-day", "the object's path has the writer's day, not the ledger's", _ledger(_OwnDay)),
        Mutation("unconditional-transaction", "the transaction has no condition", _ledger(_Unconditional)),
        Mutation("no-step", "the transaction's condition leaves the step out", _ledger(_WithoutStep)),
        Mutation("counts-beside", "the counts precede the transaction instead of being in it", _ledger(_CountsBeside)),
        Mutation("no-gap", "the transaction records no gap", _ledger(_WithoutGap)),
        Mutation("last-write-wins", "the table takes whatever comes", _tables),
        Mutation("commit-first", "the runtime commits before it settles", commits_first=True),
    )
}
