"""In-memory twins of the real stores: one contract suite tests both. For tests, simulation and the benchmark."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from threading import Lock
from typing import Any, Literal

from pydantic_core import to_json

from functions.adapters.encoded_topic import topic_writer
from functions.core.dead_letter import DeadLetter
from functions.core.dedup import SeenEvent, holder_of, with_claim
from functions.core.effects import Count, Message, Newest
from functions.core.errors import Corrupt
from functions.core.intent import Gap, Intent
from functions.core.pipeline import AnyPipeline
from functions.core.ports import (
    Clock,
    DurableStop,
    Opening,
    Position,
    Refusal,
    RowBatch,
    Schemas,
    Source,
    Stores,
    Suspect,
)
from functions.core.registries import NoSchema, SchemaId, WriterSchema


@dataclass(slots=True)
class MemoryLedger:
    """Positions, counters and gaps; one lock makes an advance atomic."""

    counts_per_advance: int = 98
    positions: dict[Source, Position] = field(default_factory=dict)
    counters: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    sums: dict[tuple[str, str, int, str], int | Decimal] = field(default_factory=dict)
    gaps: dict[Source, list[Gap]] = field(default_factory=lambda: defaultdict(list))
    lock: Lock = field(default_factory=Lock)

    def read(self, source: Source) -> Position | None:
        """See ports.Ledger."""
        return self.positions.get(source)

    def begin(self, source: Source, offset: int, topic_id: str | None) -> Position:
        """See ports.Ledger."""
        with self.lock:
            position = self.positions.get(source, Position(offset, 0, None, -1))
            self.positions[source] = replace(position, topic_id=position.topic_id or topic_id)
            return self.positions[source]

    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        """See ports.Ledger."""
        with self.lock:
            old = self.positions.get(source, Position(first, 0, None, -1))
            if old.next > last or old.stop is not None:
                return old, old.owner
            self.positions[source] = old.opened(opening)
            return self.positions[source], old.owner

    def narrow(self, source: Source, position: Position, suspect: Suspect) -> bool:
        """See ports.Ledger."""
        with self.lock:
            current = self.positions.get(source)
            if current is None or current.owner is None:
                return False
            if (current.next, current.owner) != (position.next, position.owner):
                return False
            self.positions[source] = replace(current, suspect=suspect)
            return True

    def release(self, source: Source, owner: str) -> None:
        """See ports.Ledger."""
        with self.lock:
            current = self.positions.get(source)
            if current is not None and current.owner == owner:
                self.positions[source] = replace(current, owner=None)

    def stop(self, source: Source, stop: DurableStop) -> None:
        """See ports.Ledger."""
        with self.lock:
            current = self.positions.get(source)
            if current is not None and current.stop is None:
                self.positions[source] = replace(current, stop=stop)

    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        """See ports.Ledger."""
        with self.lock:
            current = self.positions.get(source)
            if current is None or current.stop or not current.is_at(position):
                return False
            self.positions[source] = (
                replace(target, accepted=current.accepted, topic_id=current.topic_id, fence=current.fence)
                if target.next != current.next
                else replace(current, step=target.step)
            )
            self.add(counts)
            if gap:
                self.gaps[source].append(gap)
            return True

    def add(self, counts: Sequence[Count]) -> None:
        """Add counts and their sums. The caller holds the lock."""
        for count in counts:
            self.counters[count.counter, count.group, count.bucket] += count.amount
            for name, total in count.sums:
                key = (count.counter, count.group, count.bucket, name)
                self.sums[key] = self.sums.get(key, 0) + total


@dataclass(slots=True)
class MemoryLake:
    """Objects by (source, day, offset).

    `damaged`: those that cannot be read: in "part", so that an operator can still read their counts, or at "all".
    """

    objects: dict[tuple[Source, date, int], Intent] = field(default_factory=dict)
    damaged: dict[tuple[Source, date, int], Literal["part", "all"]] = field(default_factory=dict)

    def put(self, source: Source, day: date, intent: Intent) -> bool:
        """See ports.LakeStore."""
        return self.objects.setdefault((source, day, intent.cover.next), intent) is intent

    def get(self, source: Source, day: date, offset: int) -> Intent | None:
        """See ports.LakeStore."""
        if (source, day, offset) in self.damaged:
            raise Corrupt(f"{source}: the object at {offset} of {day} is damaged. `tandem quarantine` sets it aside")
        return self.objects.get((source, day, offset))


@dataclass(slots=True)
class MemoryTable:
    """The winning row of each key. Refuses rows of more than `max_row_bytes` as JSON; None: it refuses none."""

    rows: dict[tuple[str | int, ...], Newest] = field(default_factory=dict)
    max_row_bytes: int | None = None
    _lock: Lock = field(default_factory=Lock)

    def put(self, candidates: Sequence[Newest]) -> Sequence[Refusal]:
        """See ports.TableStore."""
        limit, refusals = self.max_row_bytes, list[Refusal]()
        with self._lock:
            for index, row in enumerate(candidates):
                if limit is not None and len(to_json(row.row)) > limit:
                    refusals.append(Refusal(index, f"a row of more than {limit} bytes"))
                elif row.key not in self.rows or self.rows[row.key].order < row.order:
                    self.rows[row.key] = row
        return refusals


@dataclass(slots=True)
class MemoryTopic:
    """The messages, in the order of sending. Refuses values of more than `max_bytes`; None: it refuses none."""

    messages: list[Message] = field(default_factory=list)
    max_bytes: int | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Refusal]:
        """See ports.TopicWriter."""
        limit, refusals = self.max_bytes, list[Refusal]()
        for index, message in enumerate(messages):
            if limit is not None and len(message.value) > limit:
                refusals.append(Refusal(index, f"a value of more than {limit} bytes"))
            else:
                self.messages.append(message)
        return refusals


@dataclass(slots=True)
class MemoryDeadLetters:
    """Dead letters by (pipeline, topic, partition, offset, reason); an existing letter is not replaced."""

    letters: dict[tuple[str, str, int, int, str], DeadLetter] = field(default_factory=dict)

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """See ports.DeadLetters."""
        for letter in letters:
            key = (letter.pipeline, letter.topic, letter.partition, letter.offset, letter.reason.value)
            self.letters.setdefault(key, letter)


@dataclass(slots=True)
class MemoryRowSink:
    """The rows of each (source, epoch, offset, number), and the next offset of each source and epoch."""

    rows: dict[tuple[Source, int, int, int], dict[str, Any]] = field(default_factory=dict)
    next: dict[tuple[Source, int], int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def apply(self, batch: RowBatch) -> Sequence[Refusal]:
        """See ports.RowSink."""
        with self._lock:
            log = (batch.source, batch.epoch)
            first = self.next.get(log, -1)
            for offset, number, row in batch.records():
                if offset >= first:
                    self.rows[*log, offset, number] = row
            self.next[log] = max(first, batch.last + 1)
        return ()


@dataclass(slots=True)
class MemorySeen:
    """The claims of each event."""

    claims: dict[str, list[SeenEvent]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def claim(self, events: Sequence[SeenEvent], within_ms: int) -> Sequence[SeenEvent | None]:
        """See ports.SeenStore."""
        with self._lock:
            return [self._claim(event, within_ms) for event in events]

    def _claim(self, event: SeenEvent, within_ms: int) -> SeenEvent | None:
        claims = self.claims.get(event.key, [])
        holder = holder_of(claims, event, within_ms)
        if holder is None:
            self.claims[event.key] = with_claim(claims, event, within_ms)
        return holder


@dataclass(slots=True)
class MemorySchemas:
    """Registered schemas by their ID, and the ID of each subject's latest one."""

    schemas: dict[SchemaId, WriterSchema] = field(default_factory=dict)
    subjects: dict[str, SchemaId] = field(default_factory=dict)

    def get(self, schema_id: SchemaId) -> WriterSchema | NoSchema:
        """See ports.Schemas."""
        return self.schemas.get(schema_id) or NoSchema("the registry has none")

    def latest(self, subject: str) -> tuple[SchemaId, WriterSchema] | NoSchema:
        """See ports.Schemas."""
        schema_id = self.subjects.get(subject)
        return NoSchema("the registry has none") if schema_id is None else (schema_id, self.schemas[schema_id])


def memory_stores(pipeline: AnyPipeline, now: Clock) -> Stores:
    """Empty in-memory stores for every sink of a pipeline."""
    registries: dict[str, Schemas] = {name: MemorySchemas() for name in pipeline.registries}
    return Stores(
        ledger=MemoryLedger(),
        lake=MemoryLake(),
        tables={sink.name: MemoryTable() for sink in pipeline.tables},
        topics={sink.name: topic_writer(MemoryTopic(), sink, pipeline, registries) for sink in pipeline.topics},
        dead_letters=MemoryDeadLetters(),
        now=now,
        seen=MemorySeen() if pipeline.dedup else None,
        sinks={sink.name: MemoryRowSink() for sink in pipeline.custom_sinks},
        schemas=registries,
    )
