"""In-memory twins of the real stores: one contract suite holds for both. For tests, simulation and the benchmark."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Lock

from functions.core.dead_letter import DeadLetter
from functions.core.effects import Count, Message, Newest
from functions.core.errors import Corrupt
from functions.core.ports import Cover, Gap, Position, Source
from functions.core.rows import Rows


@dataclass(slots=True)
class MemoryLedger:
    """Positions, counters and gaps; one lock makes an advance all or nothing."""

    counts_per_advance: int = 98
    positions: dict[Source, Position] = field(default_factory=dict)
    counters: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    gaps: dict[Source, list[Gap]] = field(default_factory=lambda: defaultdict(list))
    _lock: Lock = field(default_factory=Lock)

    def read(self, source: Source) -> Position | None:
        """See ports.Ledger."""
        return self.positions.get(source)

    def open(self, source: Source, first: int, last: int, today: date) -> Position:
        """See ports.Ledger."""
        with self._lock:
            at = self.positions.get(source, Position(first, 0, None, -1))
            if at.next <= last:
                at = replace(at, day=at.day or today)
                self.positions[source] = at
            return at

    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:
        """See ports.Ledger."""
        with self._lock:
            now = self.positions.get(source)
            if now is None or (now.next, now.step) != (at.next, at.step):
                return False
            self.positions[source] = to
            for count in counts:
                self.counters[count.counter, count.group, count.bucket] += count.amount
            if gap:
                self.gaps[source].append(gap)
            return True


@dataclass(slots=True)
class MemoryLake:
    """Objects by (source, day, offset)."""

    objects: dict[tuple[Source, date, int], tuple[Cover, Rows]] = field(default_factory=dict)

    def put(self, source: Source, day: date, cover: Cover, rows: Rows) -> bool:
        """See ports.Lake."""
        own = (cover, rows)
        return self.objects.setdefault((source, day, cover.next), own) is own

    def get(self, source: Source, day: date, offset: int) -> tuple[Cover, Rows]:
        """See ports.Lake."""
        try:
            return self.objects[source, day, offset]
        except KeyError:
            raise Corrupt(f"{source}: there is no object at {offset} of {day}") from None


@dataclass(slots=True)
class MemoryTable:
    """The winning row of each key."""

    rows: dict[str | int, Newest] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def put(self, rows: Sequence[Newest]) -> None:
        """See ports.Table."""
        with self._lock:
            for row in rows:
                if row.key not in self.rows or self.rows[row.key].order < row.order:
                    self.rows[row.key] = row


@dataclass(slots=True)
class MemoryTopic:
    """The messages, in the order they were sent."""

    messages: list[Message] = field(default_factory=list)

    def send(self, messages: Sequence[Message]) -> None:
        """See ports.Topic."""
        self.messages.extend(messages)


@dataclass(slots=True)
class MemoryDeadLetters:
    """Dead letters by (pipeline, topic, partition, offset, reason); the first of each stays."""

    letters: dict[tuple[str, str, int, int, str], DeadLetter] = field(default_factory=dict)

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """See ports.DeadLetters."""
        for each in letters:
            place = (each.pipeline, each.topic, each.partition, each.offset, each.reason.value)
            self.letters.setdefault(place, each)
