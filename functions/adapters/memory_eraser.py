"""In-memory twins of the stores that an erasure reaches."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256

from functions.adapters.memory import MemoryLake, MemoryTable
from functions.adapters.memory_operators import MemoryDeadLetterArchive, MemoryDiscardedBatches
from functions.adapters.table import order_text
from functions.core.dead_letter import DeadLetter
from functions.core.erase_ports import StoredVersion, TableItem, TaggedBody, TaggedIntent
from functions.core.errors import Corrupt
from functions.core.intent import Intent
from functions.core.ports import Source
from functions.core.record_place import RecordPlace

LakeKey = tuple[Source, date, int]


@dataclass(slots=True)
class MemoryLakeEraser:
    """See erase_ports.LakeEraser. A version's ID is the digest of its content; `old` holds versions and copies."""

    lake: MemoryLake
    pipeline: str
    old: dict[LakeKey, list[Intent]] = field(default_factory=dict)

    def versions(self) -> Iterator[StoredVersion]:
        """See erase_ports.LakeEraser."""
        for key, intent in sorted(self.lake.objects.items(), key=lambda item: _url(item[0])):
            if key[0].pipeline == self.pipeline:
                yield _stored(key, intent, replaceable=True)
        for key, intents in self.old.items():
            yield from (_stored(key, intent, replaceable=False) for intent in intents)

    def read(self, version: StoredVersion) -> TaggedIntent | None:
        """See erase_ports.LakeEraser."""
        key = self._key(version)
        if key in self.lake.damaged:
            raise Corrupt(f"{version.url}: is damaged")
        intents = [self.lake.objects.get(key), *self.old.get(key, ())]
        found = (intent for intent in intents if intent is not None and _tag(intent) == version.version)
        intent = next(found, None)
        return None if intent is None else TaggedIntent(intent, _tag(intent))

    def replace(self, version: StoredVersion, tag: str, intent: Intent) -> bool:
        """See erase_ports.LakeEraser."""
        key = self._key(version)
        current = self.lake.objects.get(key)
        if current is None or _tag(current) != tag:
            return False
        self.lake.objects[key] = intent
        return True

    def remove(self, version: StoredVersion) -> None:
        """See erase_ports.LakeEraser."""
        key = self._key(version)
        self.old[key] = [intent for intent in self.old.get(key, ()) if _tag(intent) != version.version]

    def _key(self, version: StoredVersion) -> LakeKey:
        """Return the key of a version; that of no object if it has none."""
        keys = (*self.lake.objects, *self.old)
        nothing = (Source(self.pipeline, "", 0), date.min, 0)
        return next((key for key in keys if _url(key) == version.url), nothing)


@dataclass(slots=True)
class MemoryLetterEraser:
    """See erase_ports.LetterEraser. Letters have one version."""

    archive: MemoryDeadLetterArchive

    def versions(self) -> Iterator[StoredVersion]:
        """See erase_ports.LetterEraser."""
        for entry in list(self.archive.entries()):
            yield StoredVersion(f"memory:dead-letters/{entry.key}", "null", entry.place)

    def read(self, version: StoredVersion) -> DeadLetter | None:
        """See erase_ports.LetterEraser."""
        letter = self.archive.bucket.get(version.url.removeprefix("memory:dead-letters/"))
        return letter and letter[0]

    def remove(self, version: StoredVersion) -> None:
        """See erase_ports.LetterEraser."""
        self.archive.bucket.pop(version.url.removeprefix("memory:dead-letters/"), None)


@dataclass(slots=True)
class MemoryBatchEraser:
    """See erase_ports.BatchEraser. `old` holds old versions by their ID, with the URL of their object."""

    batches: MemoryDiscardedBatches
    old: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def versions(self) -> Iterator[StoredVersion]:
        """See erase_ports.BatchEraser."""
        for key in list(self.batches.keys()):
            yield StoredVersion(key, "null", None, replaceable=True)
        for version, (url, _) in list(self.old.items()):
            yield StoredVersion(url, version, None)

    def read(self, version: StoredVersion) -> TaggedBody | None:
        """See erase_ports.BatchEraser."""
        bodies = self.batches.objects if version.replaceable else dict(self.old.values())
        body = bodies.get(version.url)
        return None if body is None else TaggedBody(body, sha256(body).hexdigest())

    def replace(self, version: StoredVersion, tag: str, body: bytes) -> bool:
        """See erase_ports.BatchEraser."""
        current = self.read(version)
        if current is None or current.tag != tag:
            return False
        self.batches.objects[version.url] = body
        return True

    def remove(self, version: StoredVersion) -> None:
        """See erase_ports.BatchEraser."""
        if version.replaceable:
            self.batches.objects.pop(version.url, None)
        self.old.pop(version.version, None)


@dataclass(frozen=True, slots=True)
class MemoryTableEraser:
    """See erase_ports.TableEraser. `key` names the fields of the table's key."""

    table: MemoryTable
    key: tuple[str, ...]

    def find(self, column: str, values: Collection[str | int]) -> list[TableItem]:
        """See erase_ports.TableEraser."""
        found = []
        for key, newest in self.table.rows.items():
            named = dict(zip(self.key, key, strict=True))
            if {**(newest.row or {}), **named}.get(column) in values:
                found.append(TableItem(named, order_text(newest.order)))
        return found

    def remove(self, item: TableItem) -> bool:
        """See erase_ports.TableEraser."""
        key = tuple(item.key[name] for name in self.key)
        current = self.table.rows.get(key)
        if current is not None and order_text(current.order) != item.order:
            return False
        self.table.rows.pop(key, None)
        return True


def _stored(key: LakeKey, intent: Intent, *, replaceable: bool) -> StoredVersion:
    source, _, offset = key
    return StoredVersion(_url(key), _tag(intent), RecordPlace(source.topic, source.partition, offset), replaceable)


def _url(key: LakeKey) -> str:
    source, day, offset = key
    return f"memory:lake/{source.pipeline}/day={day}/{source.topic}-{source.partition}-{offset:020d}.parquet"


def _tag(intent: Intent) -> str:
    return sha256(repr(intent).encode()).hexdigest()
