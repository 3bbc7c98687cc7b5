"""In-memory twins of the stores that the operator verbs use. The twin of the brokers: memory_kafka."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import sha256

from functions.adapters.letter_key import letter_key, parse_letter_key
from functions.adapters.memory import MemoryLake, MemoryLedger
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import Count
from functions.core.errors import Corrupt
from functions.core.intent import Gap, Intent
from functions.core.operator_ports import LakeObject, LetterEntry
from functions.core.ports import DurableStop, Position, Source
from functions.core.record_place import RecordPlace
from functions.core.redrive import RedriveClaim


@dataclass(frozen=True, slots=True)
class MemoryLedgerListing:
    """See operator_ports.LedgerListing. Reads a ledger's items where they are."""

    ledger: MemoryLedger

    def positions(self, pipeline: str, topic: str) -> dict[int, Position]:
        """See operator_ports.LedgerListing."""
        items = self.ledger.positions.items()
        return {source.partition: at for source, at in items if (source.pipeline, source.topic) == (pipeline, topic)}

    def gaps(self, source: Source) -> list[Gap]:
        """See operator_ports.LedgerListing."""
        return sorted(self.ledger.gaps.get(source, ()), key=lambda gap: gap.first)


@dataclass(frozen=True, slots=True)
class MemoryLedgerRepair:
    """See operator_ports.LedgerRepair. Changes a ledger's items where they are."""

    ledger: MemoryLedger

    def resume(self, source: Source, stop: DurableStop, resumed: Position) -> bool:
        """See operator_ports.LedgerRepair."""
        with self.ledger.lock:
            current = self.ledger.positions.get(source)
            if current is None or current.stop != stop:
                return False
            kept = replace(current, stop=None, topic_id=resumed.topic_id and current.topic_id)
            self._set(
                source,
                replace(kept, newest=resumed.newest, accepted=resumed.accepted, window=resumed.window),
            )
            return True

    def fence(self, source: Source, stop: DurableStop) -> bool:
        """See operator_ports.LedgerRepair."""
        with self.ledger.lock:
            current = self.ledger.positions.get(source)
            if current is None or current.stop != stop:
                return False
            self._set(source, replace(current, fence=current.fence + 1, owner=None))
            return True

    def retract(self, source: Source, stopped: Position, counts: Sequence[Count]) -> bool:
        """See operator_ports.LedgerRepair."""
        with self.ledger.lock:
            current = self.ledger.positions.get(source)
            if current is None or not _is_unchanged(current, stopped):
                return False
            self._set(source, replace(current, step=current.step - 1))
            self.ledger.add([count.negated() for count in counts])
            return True

    def rewind(self, source: Source, position: Position, to: int, gaps: Sequence[Gap]) -> bool:
        """See operator_ports.LedgerRepair."""
        with self.ledger.lock:
            current = self.ledger.positions.get(source)
            if current is None or not _is_unchanged(current, position):
                return False
            self._set(source, Position(to, 0, None, current.newest, fence=current.fence + 1, clock=current.clock))
            kept = [gap for gap in self.ledger.gaps[source] if gap not in gaps or gap.last < to]
            cut = [Gap(gap.first, to - 1) for gap in gaps if gap.first < to <= gap.last]
            self.ledger.gaps[source] = kept + cut
            return True

    def _set(self, source: Source, position: Position) -> None:
        self.ledger.positions[source] = position


def _is_unchanged(current: Position, position: Position) -> bool:
    return current.is_at(position) and current.stop == position.stop


@dataclass(slots=True)
class MemoryDeadLetterArchive:
    """See operator_ports.DeadLetterArchive and ports.DeadLetters. `bucket` may be shared by several pipelines."""

    pipeline: str
    bucket: dict[str, tuple[DeadLetter, datetime]] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """See ports.DeadLetters."""
        for letter in letters:
            self.bucket.setdefault(letter_key(letter), (letter, self.now()))

    def entries(self, reason: Reason | None = None, day: str | None = None) -> Iterator[LetterEntry]:
        """See operator_ports.DeadLetterArchive."""
        for key, (letter, stored) in sorted(self.bucket.items()):
            entry = LetterEntry(key, *parse_letter_key(key), stored)
            if letter.pipeline == self.pipeline and reason in {None, letter.reason} and day in {None, entry.day}:
                yield entry

    def entries_of(self, place: RecordPlace) -> list[LetterEntry]:
        """See operator_ports.DeadLetterArchive."""
        return [entry for entry in self.entries() if entry.place == place]

    def read(self, entry: LetterEntry) -> DeadLetter:
        """See operator_ports.DeadLetterArchive."""
        if entry.key not in self.bucket:
            raise Corrupt(f"{entry.key}: was listed, and does not exist any more")
        return self.bucket[entry.key][0]


@dataclass(slots=True)
class MemoryClaimStore:
    """See operator_ports.ClaimStore."""

    claims: dict[RecordPlace, RedriveClaim] = field(default_factory=dict)

    def all(self) -> dict[RecordPlace, RedriveClaim]:
        """See operator_ports.ClaimStore."""
        return dict(self.claims)

    def put(self, claim: RedriveClaim, expected: RedriveClaim | None) -> bool:
        """See operator_ports.ClaimStore."""
        stored = self.claims.get(claim.place)
        if stored != claim and _identity(stored) != _identity(expected):
            return False
        self.claims[claim.place] = claim
        return True

    def remove(self, claim: RedriveClaim) -> bool:
        """See operator_ports.ClaimStore."""
        if _identity(self.claims.get(claim.place)) != _identity(claim):
            return False
        del self.claims[claim.place]
        return True


def _identity(claim: RedriveClaim | None) -> tuple[str, str] | None:
    return claim and (claim.owner, claim.state)


@dataclass(slots=True)
class MemoryDiscardedBatches:
    """See operator_ports.DiscardedBatches."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def keys(self) -> Iterator[str]:
        """See operator_ports.DiscardedBatches."""
        return iter(sorted(self.objects))

    def read(self, key: str) -> bytes:
        """See operator_ports.DiscardedBatches."""
        return self.objects.get(key, b"")


@dataclass(frozen=True, slots=True)
class MemoryLakeListing:
    """See operator_ports.LakeListing. Reads a lake's keys where they are."""

    lake: MemoryLake

    def offsets(self, source: Source, day: date, first: int, last: int) -> list[int]:
        """See operator_ports.LakeListing."""
        offsets = (offset for owner, of, offset in self.lake.objects if (owner, of) == (source, day))
        return sorted(offset for offset in offsets if first <= offset <= last)


@dataclass(frozen=True, slots=True)
class MemoryLakeQuarantine:
    """See operator_ports.LakeQuarantine. The content of an object is its intent as text; `aside` holds the copies."""

    lake: MemoryLake
    aside: dict[str, bytes] = field(default_factory=dict)

    def read(self, source: Source, day: date, offset: int) -> LakeObject | None:
        """See operator_ports.LakeQuarantine."""
        key = (source, day, offset)
        if key not in self.lake.objects:
            return None
        intent = self.lake.objects[key]
        counts = None if self.lake.damaged.get(key) == "all" else intent.counts
        return LakeObject(
            f"memory:lake/{_key(*key)}.parquet", _tag(intent), repr(intent).encode(), self._problem(*key), counts
        )

    def copies(self, source: Source, day: date, offset: int) -> list[str]:
        """See operator_ports.LakeQuarantine."""
        return sorted(copy for copy in self.aside if copy.startswith(f"{_stem(source, day, offset)}."))

    def copy(self, source: Source, day: date, offset: int, content: bytes) -> str:
        """See operator_ports.LakeQuarantine."""
        copy = f"{_stem(source, day, offset)}.{sha256(content).hexdigest()[:16]}.parquet"
        if self.aside.setdefault(copy, content) != content:
            raise Corrupt(f"{copy}: is not a copy of the lake object")
        return copy

    def delete(self, source: Source, day: date, offset: int, tag: str) -> bool:
        """See operator_ports.LakeQuarantine."""
        key = (source, day, offset)
        if key in self.lake.objects and _tag(self.lake.objects[key]) != tag:
            return False
        self.lake.objects.pop(key, None)
        self.lake.damaged.pop(key, None)
        return True

    def _problem(self, source: Source, day: date, offset: int) -> str | None:
        try:
            self.lake.get(source, day, offset)
        except Corrupt as error:
            return str(error)
        return None


def _tag(intent: Intent) -> str:
    return sha256(repr(intent).encode()).hexdigest()


def _key(source: Source, day: date, offset: int, folder: str = "") -> str:
    return f"{source.pipeline}/{folder}day={day}/{source.topic}-{source.partition}-{offset:020d}"


def _stem(source: Source, day: date, offset: int) -> str:
    return f"memory:dead-letters/{_key(source, day, offset, 'quarantine/')}"
