"""What settling needs from stores and brokers. Adapters implement these; one contract suite holds for all of them.

Every method may raise Unavailable, which leaves open whether a write took effect. Calling any method again with the
same arguments is harmless.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Protocol

from functions.core.dead_letter import DeadLetter
from functions.core.dedup import SeenEvent
from functions.core.effects import Count, Message, Newest
from functions.core.flood import Window
from functions.core.intent import Gap, Intent
from functions.core.registries import NoSchema, SchemaId, WriterSchema
from functions.core.rows import Rows


@dataclass(frozen=True, slots=True)
class Source:
    """One partition of one pipeline's topic: the key of a ledger item."""

    pipeline: str
    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.pipeline}: {self.topic}-{self.partition}"


@dataclass(frozen=True, slots=True)
class Suspect:
    """Where an attempt ended with its process: up to offset `end`, at most `size` records are settled at a time.

    `alone`: the owners of attempts at the single record at `end` that have ended with their process, as far as is
    known: an owner that returns was only slow, and is removed.
    """

    end: int
    size: int
    alone: tuple[str, ...] = ()


class StopReason(Enum):
    """Why a partition is stopped, until an operator resumes or rewinds it. The values are stored."""

    FLOOD = "flood"
    OFFSETS_WENT_BACK = "offsets-went-back"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class DurableStop:
    """A stop recorded in the ledger. [first, last] are the offsets of the refused slice.

    `at`: when, in milliseconds since 1970. `newest`: the greatest timestamp of the refused records; -1 for none.
    """

    reason: StopReason
    detail: str
    first: int
    last: int
    at: int
    newest: int = -1


@dataclass(frozen=True, slots=True)
class Position:
    """A ledger item.

    `next`: the next offset to settle. `step`: how many of the slice's counter transactions are done.
    `day`: the date in the path of the object at `next`, from the clock of the writer that opened it.
    `newest`: the greatest timestamp settled, in milliseconds; -1 before any.
    `has_object`: whether `next` has a lake object; fixed together with `day`, as the pipeline of that writer declares.
    `owner`: the writer of an attempt that has begun here and has not ended in good order.
    `accepted`: an operator has accepted rejects up to this offset; they are no flood. -1: none.
    `topic_id`: Kafka's ID of the topic, where a runtime could read it.
    `clock`: the greatest timestamp of a row or delete settled, in milliseconds; it orders tables without `newest_by`.
    `fence`: raised by operators, so that a writer that opened before cannot advance.
    """

    next: int
    step: int
    day: date | None
    newest: int
    has_object: bool | None = None
    owner: str | None = None
    suspect: Suspect | None = None
    stop: DurableStop | None = None
    accepted: int = -1
    window: Window = ()
    topic_id: str | None = None
    fence: int = 0
    clock: int = -1

    def is_at(self, position: "Position") -> bool:
        """Whether no writer has advanced, and no operator has fenced, since `position` was read."""
        return (self.next, self.step, self.fence) == (position.next, position.step, position.fence)

    def opened(self, opening: "Opening") -> "Position":
        """Return the position after an open that met its condition."""
        has_object = opening.has_object if self.has_object is None else self.has_object
        return replace(self, day=self.day or opening.day, has_object=has_object, owner=opening.owner)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first writer at a position fixes (`day`, `has_object`), and the writer of this attempt (`owner`)."""

    day: date
    has_object: bool
    owner: str


class Ledger(Protocol):
    """The position of each partition, and the counters, which advance with it in one transaction."""

    @property
    def counts_per_advance(self) -> int:
        """The maximum number of counts in one `advance`."""

    def read(self, source: Source) -> Position | None:
        """Return the partition's position; None if there is none."""

    def begin(self, source: Source, offset: int, topic_id: str | None) -> Position:
        """Create the position at `offset` if there is none, and return the position.

        Also records `topic_id` where the position has none.
        """

    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        """Return the partition's position, and the owner that it had before.

        If `next` is at most `last` and there is no stop, first fixes `day` and `has_object`, unless they are fixed,
        and sets `owner`. Creates the position at `first` if there is none. Otherwise changes nothing.
        """

    def narrow(self, source: Source, position: Position, suspect: Suspect) -> bool:
        """Record a suspect if the position is still at (next, owner) of `position`. False: it is not."""

    def release(self, source: Source, owner: str) -> None:
        """Remove `owner` if it is still the owner: its attempt has ended in good order."""

    def stop(self, source: Source, stop: DurableStop) -> None:
        """Record a stop; an earlier one stays. Does nothing if there is no position."""

    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        """Move to `target`, add the counts and record the gap in one transaction.

        A target with another `next` writes next, step, newest, clock, window and suspect, and removes day, has_object
        and owner; one with the same `next` writes the step only. Returns False, and changes nothing, if the position is
        stopped, or no longer at (next, step, fence) of `position`.
        """


class LakeStore(Protocol):
    """Objects that are written once and never change."""

    def put(self, source: Source, day: date, intent: Intent) -> bool:
        """Put the object of (source, day, intent.cover.next) only if absent. False: it exists, by any writer."""

    def get(self, source: Source, day: date, offset: int) -> Intent | None:
        """Read an object, equal to the one that was put; None if there is none. Corrupt if Tandem did not write it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Item number `index` of a call, which the store will never take, and why. The other items are not affected."""

    index: int
    detail: str


class TableStore(Protocol):
    """Rows by key; the row with the greatest order wins, in whichever sequence and however often rows arrive."""

    def put(self, candidates: Sequence[Newest]) -> Sequence[Refusal]:
        """Store each candidate unless the table holds a row of its key with an equal or greater order.

        Returns those that the table will never take. Raises Incomplete with those that may not be durable; they
        include the refused ones, which the next call returns.
        """


class TopicWriter(Protocol):
    """A Kafka topic."""

    def send(self, messages: Sequence[Message]) -> Sequence[Refusal]:
        """Return when all in-sync replicas have acknowledged every message, with those that are refused for good.

        Raises Incomplete with the messages that are not acknowledged; they include the refused ones, which the next
        call returns.
        """


@dataclass(frozen=True, slots=True)
class RowBatch:
    """What one slice gives a sink of your own: the rows and deletions of the records at offsets [first, last].

    Another writer may bring the same records in other slices: the position that a sink keeps is an offset, not a slice.
    `epoch` rises when an operator moves the ledger back: then the same offsets are other records.
    """

    source: Source
    epoch: int
    first: int
    last: int
    rows: Rows

    def records(self) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield (offset, number, row) of each row, in order."""
        names = tuple(self.rows.columns)
        values = zip(*self.rows.columns.values(), strict=True)
        for offset, number, row in zip(self.rows.offsets, self.rows.numbers, values, strict=True):
            yield offset, number, dict(zip(names, row, strict=True))


class RowSink(Protocol):
    """A sink of your own."""

    def apply(self, batch: RowBatch) -> Sequence[Refusal]:
        """Make the batch durable, exactly once however often it or a part of it is brought again.

        Returns the rows, by their index, that it will never take. Raises Unavailable for a failure that may pass, and
        Refused for one that concerns every row; any other error is taken for Unavailable.
        """


class SinkContext(Protocol):
    """What a process gives the adapter of a sink."""

    @property
    def stage(self) -> str:
        """The stage."""

    @property
    def pipeline(self) -> str:
        """The pipeline."""

    def secret(self) -> bytes:
        """Return the sink's secret. InvalidSetting if the stage gives it none."""


class Schemas(Protocol):
    """A schema registry."""

    def get(self, schema_id: SchemaId) -> WriterSchema | NoSchema:
        """Look up a schema and all that it refers to. An ID's schema never changes.

        NoSchema: the registry has none of this ID, or an unusable one. Raises Unavailable if it may answer later.
        """

    def latest(self, subject: str) -> tuple[SchemaId, WriterSchema] | NoSchema:
        """Look up the newest schema of a subject, and its ID. NoSchema and Unavailable as above."""


class DeadLetters(Protocol):
    """Rejected records, each at a key that derives from its coordinates."""

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """Return when all are durable; a letter that exists is not replaced. Raises Incomplete with the others."""


class SeenStore(Protocol):
    """Which record has claimed an event, for pipelines with Dedup."""

    def claim(self, events: Sequence[SeenEvent], within_ms: int) -> Sequence[SeenEvent | None]:
        """Claim events, which have different keys, and return the record that holds each instead; None: claimed.

        Claiming follows dedup.holder_of and dedup.with_claim, atomically for each event.
        """


class Clock(Protocol):
    """The clock."""

    def __call__(self) -> datetime:
        """Return the time in UTC."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports of one pipeline. `tables`, `topics` and `sinks` (those of your own) by the name of their sink.

    `schemas` by the name of the registry.

    `lake` is there for a pipeline without a Lake, too: a slice that an earlier release opened may have an object.
    `seen` is None for a pipeline without Dedup.
    """

    ledger: Ledger
    lake: LakeStore
    tables: Mapping[str, TableStore]
    topics: Mapping[str, TopicWriter]
    dead_letters: DeadLetters
    now: Clock
    seen: SeenStore | None = None
    sinks: Mapping[str, RowSink] = field(default_factory=dict)
    schemas: Mapping[str, Schemas] = field(default_factory=dict)
