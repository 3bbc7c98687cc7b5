"""One schedule's world: logs, stores, the group's commits, and what the checks need to know about them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger
from functions.core.flood import FloodLimit
from functions.core.mutex import Mutex
from functions.core.pipeline import Start
from functions.core.ports import Position, Source, Stores
from functions.core.settle import Settled, Settler
from functions.core.slice import Slice
from tests.simulation import visits
from tests.simulation.erasing import Erasures
from tests.simulation.faults import Line, faulty
from tests.simulation.mutations import NONE, Mutation
from tests.simulation.releases import NO_FLOOD, SHAPES, TABLES, TOPICS, Release, Terms, pipeline
from tests.simulation.scheduler import Scheduler
from tests.simulation.stores import NOTHING, REFUSED_BY_TABLES, REFUSED_BY_TOPICS, PickyTable, PickyTopic
from tests.simulation.visits import TOPIC, Entry, Mix
from tests.simulation.watched import Histories, WatchedLake, WatchedLedger

KEY: Final = b"0123456789abcdef"


@dataclass(slots=True)
class Partition:
    """A partition in Kafka. `entries` are produced, `future` will be. `given_up`: offsets that the mapping skipped.

    A recreated topic has another `generation`, and offsets from 0 on; `settled` are the entries of the logs before.
    Those below `floor`, where the ledger was, are lost when an operator resumes.
    """

    source: Source
    first: int
    entries: list[Entry]
    future: list[Entry]
    committed: int | None = None
    given_up: set[int] = field(default_factory=set)
    generation: int = 0
    settled: list[Entry] = field(default_factory=list)
    floor: int = 0

    @property
    def number(self) -> int:
        return self.source.partition

    @property
    def topic_id(self) -> str:
        return f"topic-{self.generation}"

    @property
    def end(self) -> int:
        """The offset that the next record will have."""
        return self.entries[-1].offset + 1 if self.entries else self.first

    @property
    def history(self) -> list[Entry]:
        """All records that were to be settled, whether they still exist or not."""
        return [*self.settled, *(entry for entry in self.entries if entry.offset >= self.floor)]

    def position(self, world: "World") -> Position | None:
        """Return the ledger's position."""
        return world.ledger.positions.get(self.source)

    def produce(self, count: int) -> None:
        self.entries += self.future[:count]
        del self.future[:count]

    def begin_at(self, world: "World") -> int:
        """Return where a consumer begins that has no ledger: at the commit, or where the pipeline starts."""
        if self.committed is not None:
            return self.committed
        return self.end if world.terms.start is Start.LATEST else self.first

    def subscribe(self, world: "World") -> int:
        """Return the commit, after setting it as a new event source mapping does, or as a handover did."""
        if self.committed is None:
            position = self.position(world)
            self.committed = self.begin_at(world) if position is None or self.generation else position.next
            self.promise(world, self.committed)
        return self.committed

    def promise(self, world: "World", offset: int) -> None:
        """Remember the first offset that a consumer was told to begin at: nothing from there on may be lost."""
        history = world.histories[self.source]
        if history.promised is None:
            history.promised = offset

    def slice_from(self, offset: int, records: int, start: int | None) -> Slice | None:
        """Return up to `records` records from `offset` on, or None. It starts at `start`, or at its first record."""
        first = bisect_left(self.entries, offset, key=lambda entry: entry.offset)
        entries = self.entries[first : first + records]
        if not entries:
            return None
        return Slice(
            TOPIC, self.source.partition, entries[0].offset if start is None else start, entries[-1].offset,
            [entry.offset for entry in entries], [entry.timestamp for entry in entries],
            [entry.key for entry in entries],
            [entry.value for entry in entries], [()] * len(entries),
        )  # fmt: skip


class World:
    """Everything that the seed determines before the first step, and everything that writers share."""

    def __init__(self, rng: Random, mutation: Mutation = NONE, trace: Callable[[str], None] | None = None) -> None:
        self.rng, self.mutation, self.trace = rng, mutation, trace
        self.tally: Counter[str] = Counter()
        self.scheduler = Scheduler()
        self.histories = Histories(self.tally, self.scheduler)
        self.gives_up = rng.random() < 0.35
        self.recreates = rng.random() < 0.15
        self.damages = rng.random() < 0.15
        flood = FloodLimit(0.5, rng.choice((4, 5, 7))) if rng.random() < 0.25 else NO_FLOOD
        self.terms = Terms(
            rng.random() < 0.7, rng.random() < 0.5, flood, Start.LATEST if rng.random() < 0.25 else Start.EARLIEST
        )
        self.releases = self._releases()
        self.lethal = rng.choice((0.0, 0.0, 0.1))
        self.partitions = [self._partition(number) for number in range(2 if rng.random() < 0.3 else 1)]
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        # Without an object, which any release may then have to do without, a record's counts must fit one transaction.
        needs_atomic = not all(release.has_lake for release in self.releases)
        least = max(len(release.shape.counters) for release in self.releases) if needs_atomic else 1
        self.counts_per_advance = rng.choice((least, least, least + 1, 98))
        self.ledger = MemoryLedger(self.counts_per_advance)
        self.lake, self.letters = MemoryLake(), MemoryDeadLetters()
        self.erasures = Erasures(self.lake)
        self.is_picky = rng.random() < 0.35
        by_tables, by_topics = (REFUSED_BY_TABLES, REFUSED_BY_TOPICS) if self.is_picky else (NOTHING, NOTHING)
        self.tables = {table: PickyTable(refuses=by_tables) for table in TABLES}
        self.topics = {name: PickyTopic(refuses=by_topics) for name in TOPICS}
        self.line = Line(
            self.scheduler, rng, rng.choice((0.0, 0.03, 0.1, 0.3)), rng.choice((0.0, 0.0, 0.5)), self.tally, trace
        )

    def settler(self, release: Release, owner: str, alone: Mutex) -> Settler:
        """Return a settler as a new process would build it."""
        return Settler(pipeline(release, self.terms), self._stores(release), KEY, owner, alone)

    def midnight(self) -> None:
        self.now += timedelta(days=1)

    def is_settled(self, partition: Partition) -> bool:
        """Whether the ledger has passed the log. The commit may be lower, if a zombie committed last."""
        position, history = self.ledger.positions.get(partition.source), self.histories[partition.source]
        return position is not None and position.next >= partition.end and not history.recreated

    def count(self, done: Settled) -> None:
        """Add what a settler reports to the tally."""
        self.tally["slices settled"] += 1
        self.tally["objects adopted"] += done.adopted
        self.tally["conflicts"] += done.conflicts

    def note(self, event: str) -> None:
        if self.trace is not None:
            self.trace(event)

    def _stores(self, release: Release) -> Stores:
        stores = Stores(
            self.ledger, self.lake,
            {table.name: self.tables[table] for table in release.shape.tables},
            {topic.name: self.topics[topic.name] for topic in release.shape.topics},
            self.letters, lambda: self.now,
        )  # fmt: skip
        stores = self.mutation.stores(stores, self.scheduler.pause)
        ledger = WatchedLedger(stores.ledger, self.histories, release, self.counts_per_advance)
        watched = replace(stores, ledger=ledger, lake=WatchedLake(stores.lake, self.histories, release))
        return faulty(watched, self.line)

    def _releases(self) -> list[Release]:
        rng = self.rng
        if rng.random() < 0.5:
            return [Release(rng.choice(tuple(SHAPES)), rng.random() < 0.7)]
        return [Release(rng.choice(tuple(SHAPES)), rng.random() < 0.7) for _ in range(rng.choice((2, 2, 3)))]

    def _partition(self, number: int) -> Partition:
        rng = self.rng
        first = rng.choice((0, 7))
        entries = visits.log(rng, rng.randint(1, 20), self.mix(number), first)
        shown = len(entries) if rng.random() < 0.4 else rng.randint(0, len(entries))
        return Partition(Source("visits", TOPIC, number), first, entries[:shown], entries[shown:])

    def mix(self, number: int) -> Mix:
        """Return the kinds of records in a partition."""
        rng = self.rng
        return Mix(
            partition=number, deletes=self.terms.deletes, json_keys=self.terms.json_keys, holes=rng.random() < 0.3,
            jitter=rng.choice((0, 60)), lethal=self.lethal, spells=self.terms.flood is not NO_FLOOD,
            future=rng.random() < 0.1,
        )  # fmt: skip
