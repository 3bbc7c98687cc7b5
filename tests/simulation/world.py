"""One schedule's world: a log, the stores, the group's commits, and what an all-seeing eye keeps for the checks."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.core.effects import Count
from functions.core.ports import Gap, Ledger, Position, Source, Stores
from functions.core.settle import Settled, Settler
from functions.core.slice import Slice
from tests.simulation import visits
from tests.simulation.faults import Line, faulty
from tests.simulation.mutations import NONE, Mutation
from tests.simulation.scheduler import Scheduler
from tests.simulation.visits import TOPIC, Entry

KEY: Final = b"0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Move:
    """The ledger passed from `at` to `to`, over a gap or not."""

    at: int
    to: int
    gap: Gap | None


@dataclass(slots=True)
class WatchedLedger:
    """Keeps how the ledger moved, in the same instant: what a schedule without a lake is checked against."""

    ledger: Ledger
    counts_per_advance: int
    tally: Counter[str]
    began: dict[Source, int] = field(default_factory=dict)
    moves: dict[Source, list[Move]] = field(default_factory=dict)

    def read(self, source: Source) -> Position | None:
        return self.ledger.read(source)

    def open(self, source: Source, first: int, last: int, today: date) -> Position:
        position = self.ledger.open(source, first, last, today)
        self.began.setdefault(source, position.next)
        self.tally["steps taken over"] += position.step > 0
        return position

    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:
        done = self.ledger.advance(source, at, to, counts, gap)
        if done and to.next > at.next:
            self.moves.setdefault(source, []).append(Move(at.next, to.next, gap))
        return done


@dataclass(slots=True)
class Partition:
    """A partition as Kafka sees it. `committed` is the group's, `given_up` the offsets that the mapping skipped."""

    source: Source
    entries: list[Entry]
    committed: int
    given_up: set[int] = field(default_factory=set)

    def commit(self, offset: int) -> None:
        self.committed = offset

    @property
    def end(self) -> int:
        """The offset that the next record will have."""
        return self.entries[-1].offset + 1

    def slice_from(self, offset: int, records: int, start: int | None) -> Slice | None:
        """Up to so many records at and after `offset`, or None. It starts at `start`, or at the first of them."""
        at = bisect_left(self.entries, offset, key=lambda entry: entry.offset)
        taken = self.entries[at : at + records]
        if not taken:
            return None
        return Slice(
            TOPIC, self.source.partition, taken[0].offset if start is None else start, taken[-1].offset,
            [entry.offset for entry in taken], [entry.timestamp for entry in taken], [entry.key for entry in taken],
            [entry.value for entry in taken], [()] * len(taken),
        )  # fmt: skip


class World:
    """Everything that the seed decides before the first step, and all that writers share."""

    def __init__(self, rng: Random, mutation: Mutation = NONE, tell: Callable[[str], None] | None = None) -> None:
        self.rng, self.mutation, self.tell = rng, mutation, tell
        self.tally: Counter[str] = Counter()
        self.scheduler = Scheduler()
        self.has_lake = rng.random() < 0.75
        self.gives_up = rng.random() < 0.35
        self.versions = 2 if self.has_lake and rng.random() < 0.3 else 1
        self.partitions = [self._partition(number) for number in range(2 if rng.random() < 0.3 else 1)]
        self.today = date(2026, 1, 1)
        # Without a lake, the counts of one record (there are two Counters) must fit one transaction.
        self.ledger = MemoryLedger(counts_per_advance=rng.choice((1, 2, 3, 98) if self.has_lake else (2, 2, 3, 98)))
        self.lake, self.table, self.topic = MemoryLake(), MemoryTable(), MemoryTopic()
        self.letters = MemoryDeadLetters()
        stores = mutation.stores(self._stores(), self.scheduler.pause)
        self.watched = WatchedLedger(stores.ledger, self.ledger.counts_per_advance, self.tally)
        self.line = Line(self.scheduler, rng, rng.choice((0.0, 0.03, 0.1, 0.3)), self.tally, tell)
        self.stores = faulty(replace(stores, ledger=self.watched), self.line)

    def settler(self, version: int) -> Settler:
        """What a new process would build."""
        return Settler(visits.pipeline(lake=self.has_lake, version=version), self.stores, KEY)

    def midnight(self) -> None:
        self.today += timedelta(days=1)

    def settled(self, partition: Partition) -> bool:
        """Whether the ledger has passed the log; the commit may lag, if a zombie's came last."""
        position = self.ledger.positions.get(partition.source)
        return position is not None and position.next >= partition.end

    def count(self, done: Settled) -> None:
        """What settling says that it did."""
        self.tally["slices settled"] += 1
        self.tally["objects adopted"] += done.adopted
        self.tally["conflicts"] += done.conflicts

    def note(self, what: str) -> None:
        if self.tell is not None:
            self.tell(what)

    def _stores(self) -> Stores:
        return Stores(
            self.ledger, self.lake if self.has_lake else None, {"last": self.table}, {"seen": self.topic},
            self.letters, lambda: self.today,
        )  # fmt: skip

    def _partition(self, number: int) -> Partition:
        rng = self.rng
        entries = visits.log(rng, rng.randint(1, 16), holes=rng.random() < 0.3, jitter=rng.choice((0, 60)))
        return Partition(Source("visits", TOPIC, number), entries, entries[0].offset)
