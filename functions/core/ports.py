"""What settling needs of the world. Adapters implement these; one contract suite holds for every implementation.

Every method may raise Unavailable, after which nobody knows whether a write took effect. Everything here may be
called again with the same arguments without harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from functions.core.dead_letter import DeadLetter
from functions.core.effects import Count, Message, Newest
from functions.core.rows import Rows


@dataclass(frozen=True, slots=True)
class Source:
    """One partition of one pipeline: what a ledger item is about."""

    pipeline: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Position:
    """A ledger item.

    `next`: the next offset to settle. `step`: how many of the slice's counter transactions are done.
    `day`: the date in the path of the object at `next`, from the clock of the writer that opened it.
    `newest`: the greatest timestamp settled, in milliseconds; -1 before any.
    """

    next: int
    step: int
    day: date | None
    newest: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Offsets [first, last] that settling passed without their records: given up on, expired, or never there."""

    first: int
    last: int


class Ledger(Protocol):
    """Where each partition stands, and the counters, which advance with it in one transaction."""

    @property
    def counts_per_advance(self) -> int:
        """How many counts one `advance` takes."""

    def read(self, source: Source) -> Position | None:
        """Where the partition stands; None when nothing was ever opened."""

    def open(self, source: Source, first: int, last: int, today: date) -> Position:
        """Where the partition stands, with `day` fixed, if its next offset is not beyond `last`.

        Creates the item at `first` where there is none. A position beyond `last` comes back as it is: all is settled.
        """

    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:
        """All or nothing: move to `to`, add the counts, record the gap, if the item is still at (next, step) of `at`.

        False: it was not, and nothing happened.
        """


@dataclass(frozen=True, slots=True)
class Cover:
    """What a lake object covers: offsets [next, end]. Its records begin at `start`, `newest` is the last timestamp."""

    next: int
    start: int
    end: int
    newest: int

    @property
    def gap(self) -> Gap | None:
        """The offsets at the front that it passes over."""
        return Gap(self.next, self.start - 1) if self.start > self.next else None


class Lake(Protocol):
    """Objects that are written once and never change."""

    def put(self, source: Source, day: date, cover: Cover, rows: Rows) -> bool:
        """Put the object of (source, day, cover.next) only if there is none. False: there is one, whoever wrote it."""

    def get(self, source: Source, day: date, offset: int) -> tuple[Cover, Rows]:
        """Read an object back; its rows equal those that were put. Corrupt when it is not there or not ours."""


class Table(Protocol):
    """Rows by key; the greatest order wins, whatever comes first and however often."""

    def put(self, rows: Sequence[Newest]) -> None:
        """Store each row unless the table holds one of the same key and an equal or greater order."""


class Topic(Protocol):
    """A Kafka topic."""

    def send(self, messages: Sequence[Message]) -> None:
        """Return when every message is acknowledged by all in-sync replicas."""


class DeadLetters(Protocol):
    """Rejected records, each at a key that derives from its coordinates."""

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """Return when all are durable. A letter that is there already stays as it is."""


class Today(Protocol):
    """The clock."""

    def __call__(self) -> date:
        """The date in UTC."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports of one pipeline. `tables` and `topics` by the name of their sink; `lake` is None if it has no Lake."""

    ledger: Ledger
    lake: Lake | None
    tables: Mapping[str, Table]
    topics: Mapping[str, Topic]
    dead_letters: DeadLetters
    today: Today
