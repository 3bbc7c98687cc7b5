"""Searching one store after the other, and erasing what is found.

Laws
    1. A lake object is replaced only if the ledger has passed its records: nothing is rolled forward from it any more.
       A writer that wakes up late finds an object there, as before, and its transaction fails.
    2. A lake object is replaced only while it is the one that was read, and its key always has one: putting an object
       only if absent is as safe as before.
    3. The ledger is read before what it decides about. It only moves forward: `tandem rewind` refuses while there are
       objects at keys that it would open.
    4. A search begins anew, and finds whatever still holds data of the person: a run that ended early is run again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from functions.core.erase_ports import StoredVersion
from functions.core.erasure import Subject, is_behind, is_letter_of, mentions, without
from functions.core.errors import Corrupt
from functions.core.record_place import RecordPlace
from functions.operate.context import OperatorContext
from functions.operate.erase.batch import batch_without
from functions.operate.erase.report import StoreReport

Item = TypeVar("Item")
CHUNK: Final = 256  # versions that are handed to the pool together


class Outcome(Enum):
    """What became of one version or item."""

    NOTHING = auto()
    MENTION = auto()
    FOUND = auto()
    ERASED = auto()
    UNSETTLED = auto()
    CHANGED = auto()
    UNREADABLE = auto()


class Visit(NamedTuple):
    """The outcome, and how many parts of the version or item are the person's; `problem` if it is unreadable."""

    outcome: Outcome
    parts: int = 0
    problem: str = ""


NOTHING: Final = Visit(Outcome.NOTHING)


@dataclass(slots=True)
class Search:
    """A search for one person. `mentions`: letters that only mention the key are theirs, too."""

    context: OperatorContext
    subject: Subject
    execute: bool
    mentions: bool
    _next: dict[str, dict[int, int]] = field(default_factory=dict)  # the ledger, by topic and partition

    def stores(self) -> Iterator[StoreReport]:
        """Search every store, and yield what was found as soon as it is known."""
        erasure, pipeline = self.context.erasure, self.context.pipeline
        yield self._store("dead letters", self._settled(erasure.letters.versions()), self._letter)
        yield self._store("given-up batches", erasure.batches.versions(), self._batch)
        if pipeline.has_lake:
            yield self._store("lake", self._settled(erasure.lake.versions()), self._lake)
        for name in erasure.tables:
            yield self._table(name)

    def _settled(self, versions: Iterable[StoredVersion]) -> Iterator[tuple[StoredVersion, int | None]]:
        """Return each version with the next offset of its partition, as the ledger has it now or had it before."""
        for version in versions:
            yield version, None if version.place is None else self._next_offset(version.place)

    def _next_offset(self, place: RecordPlace) -> int | None:
        if place.topic not in self._next:
            positions = self.context.ledger_listing.positions(self.context.pipeline.name, place.topic)
            self._next[place.topic] = {partition: position.next for partition, position in positions.items()}
        return self._next[place.topic].get(place.partition)

    def _store(self, name: str, items: Iterable[Item], visit: Callable[[Item], Visit]) -> StoreReport:
        def visited(item: Item) -> Visit:
            try:
                return visit(item)
            except Corrupt as error:
                return Visit(Outcome.UNREADABLE, problem=str(error))

        report = StoreReport(name)
        for chunk in _chunks(items):
            for each in self.context.pool.map(visited, chunk):
                _add(report, each)
        return report

    def _letter(self, listed: tuple[StoredVersion, int | None]) -> Visit:
        version, next_offset = listed
        letters = self.context.erasure.letters
        letter = letters.read(version)
        if letter is None:
            return NOTHING
        if not is_letter_of(letter, self.subject):
            if not mentions(letter, self.subject):
                return NOTHING
            if not self.mentions:
                return Visit(Outcome.MENTION)
        if next_offset is not None and letter.offset >= next_offset:
            return Visit(Outcome.UNSETTLED, 1)  # settling the record would store the letter again
        if self.execute:
            letters.remove(version)
        return self._done(1)

    def _batch(self, version: StoredVersion) -> Visit:
        batches = self.context.erasure.batches
        stored = batches.read(version)
        if stored is None:
            return NOTHING
        try:
            body, parts = batch_without(stored.body, self.context.pipeline.topic, self.subject)
        except Corrupt as error:
            raise Corrupt(f"{version.url}: {error}") from None
        if not parts:
            return NOTHING
        if self.execute:
            if version.replaceable and body is not None:
                if not batches.replace(version, stored.tag, body):
                    return Visit(Outcome.CHANGED, parts)
            else:
                batches.remove(version)
        return self._done(parts)

    def _lake(self, listed: tuple[StoredVersion, int | None]) -> Visit:
        version, next_offset = listed
        lake = self.context.erasure.lake
        stored = lake.read(version)
        if stored is None:
            return NOTHING
        intent, erased = without(stored.intent, self.subject)
        parts = sum(erased)
        if not parts:
            return NOTHING
        if not is_behind(intent, next_offset):
            return Visit(Outcome.UNSETTLED, parts)
        if self.execute:
            if version.replaceable:
                if not lake.replace(version, stored.tag, intent):
                    return Visit(Outcome.CHANGED, parts)
            else:
                lake.remove(version)
        return self._done(parts)

    def _table(self, name: str) -> StoreReport:
        table, subject = self.context.erasure.tables[name], self.subject
        items = table.find(subject.column, subject.values)
        return self._store(
            f"table {name}",
            items,
            lambda item: Visit(Outcome.CHANGED, 1) if self.execute and not table.remove(item) else self._done(1),
        )

    def _done(self, parts: int) -> Visit:
        return Visit(Outcome.ERASED if self.execute else Outcome.FOUND, parts)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _add(report: StoreReport, visit: Visit) -> None:
    report.searched += 1
    match visit.outcome:
        case Outcome.NOTHING:
            return
        case Outcome.UNREADABLE:
            report.unreadable.append(visit.problem)
            return
        case Outcome.MENTION:
            report.mentions += 1
            return
        case Outcome.ERASED:
            report.erased += 1
        case Outcome.UNSETTLED:
            report.unsettled += 1
        case Outcome.CHANGED:
            report.changed += 1
    report.found += 1
    report.parts += visit.parts
