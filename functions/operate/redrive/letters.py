"""Lost records in dead letters."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt
from functions.core.operator_ports import DeadLetterArchive, LetterEntry
from functions.core.plan import holds_row
from functions.core.record_place import RecordPlace
from functions.operate.redrive.records import LostRecord, SkippedRecord


@dataclass(frozen=True, slots=True)
class LetterRecords:
    """See LostRecords. `entries` by the place of their record; either of two letters of one record holds it whole.

    Left out: `settled_elsewhere` records that one sink refused, which the other sinks have, and which were not asked
    for; and `rows` letters that hold a row instead of their record.
    """

    archive: DeadLetterArchive
    entries: Mapping[RecordPlace, LetterEntry]
    pool: Executor
    settled_elsewhere: int = 0
    rows: int = 0

    def places(self) -> Iterator[RecordPlace]:
        """See LostRecords."""
        return iter(self.entries)

    def read(self, places: Sequence[RecordPlace]) -> list[LostRecord | SkippedRecord]:
        """See LostRecords. One request for each letter, many in parallel."""
        return list(self.pool.map(self._read, places))

    def _read(self, place: RecordPlace) -> LostRecord | SkippedRecord:
        try:
            return _record(self.archive.read(self.entries[place]))
        except Corrupt as error:
            return SkippedRecord(place, str(error))


def letter_records(
    archive: DeadLetterArchive, entries: Sequence[LetterEntry], pool: Executor, *, with_refused: bool
) -> LetterRecords:
    """Return the records of letters. `with_refused`: also those that one sink refused, which the other sinks have."""
    refused = [entry for entry in entries if entry.reason == Reason.REFUSED.value]
    chosen = {entry.place: entry for entry in entries if entry.reason != Reason.REFUSED.value}
    if not with_refused:
        return LetterRecords(archive, chosen, pool, settled_elsewhere=len(refused))
    rows = list(pool.map(partial(_holds_row, archive), refused))
    whole = {entry.place: entry for entry, is_row in zip(refused, rows, strict=True) if not is_row}
    return LetterRecords(archive, whole | chosen, pool, rows=sum(rows))


def _holds_row(archive: DeadLetterArchive, entry: LetterEntry) -> bool:
    """Return whether a letter holds a row. One that cannot be read is skipped later, with its reason."""
    try:
        return holds_row(archive.read(entry))
    except Corrupt:
        return False


def _record(letter: DeadLetter) -> LostRecord:
    place = RecordPlace(letter.topic, letter.partition, letter.offset)
    return LostRecord(place, letter.key, letter.value, letter.headers)
