"""Was anything lost, doubled or miscounted? Compares what was produced with what the stores hold.

Law: it shares no code with the pipeline. The expected content follows from how the records were made and from the
documented rules: BLAKE2b masks, minutes, and the newest login of a user, in a draw the greater offset, then partition.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any

from sandbox.demo.records import ExpectedLetter, Fate, LoginRow, Place, Produced, Record, StoreContents, StoredLetter


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result. Counts are of records unless said otherwise; `problems` lists the first few of each kind."""

    records_in: int
    rows_in_lake: int
    dead_letters: int
    dead_letters_by_reason: dict[str, int]
    dropped: int
    missing: int
    duplicates: int
    wrong: int  # rows and dead letters that differ from the expected ones, or that belong to no record
    counters_match: bool
    table_match: bool
    topic_unique_match: bool
    announcements_match: bool  # the queue announced every dead letter, and nothing else
    topic_repeated: int  # messages sent more than once, which a topic sink may do
    problems: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether nothing was lost, doubled or miscounted."""
        matches = (self.counters_match, self.table_match, self.topic_unique_match, self.announcements_match)
        return all(matches) and not (self.missing or self.duplicates or self.wrong)


MAX_EXAMPLES = 5  # of each problem
MINUTE = 60


@dataclass
class Verification:
    """Compares the produced records with what is stored; call `verdict` once."""

    produced: Produced
    contents: StoreContents
    mask_key: bytes
    problems: list[str] = field(default_factory=list)
    _masks: dict[tuple[str, str], str] = field(default_factory=dict)

    def verdict(self) -> Verdict:
        """Compare everything."""
        rows, letters = dict(self.contents.rows), {letter.place: letter for letter in self.contents.letters}
        nowhere = self.produced.keys() - rows.keys() - letters.keys()
        dropped = {place for place in nowhere if self.produced[place].expected is Fate.DROP}
        matches = (self._counters(), self._table(), self._topic(), self._announced())
        return Verdict(
            records_in=len(self.produced),
            rows_in_lake=len(self.contents.rows),
            dead_letters=len(self.contents.letters),
            dead_letters_by_reason=dict(sorted(Counter(letter.reason for letter in self.contents.letters).items())),
            dropped=len(dropped),
            missing=self._note("missing", nowhere - dropped),
            duplicates=self._note("doubled", self._doubled()),
            wrong=self._note("wrong row", self._wrong_rows()) + self._note("wrong dead letter", self._wrong_letters()),
            counters_match=matches[0],
            table_match=matches[1],
            topic_unique_match=matches[2],
            announcements_match=matches[3],
            topic_repeated=len(self.contents.messages) - len(dict(self.contents.messages)),
            problems=tuple(self.problems),
        )

    @cached_property
    def rows(self) -> dict[Place, LoginRow]:
        """The expected rows. For a file's lines the lake decides which of them became rows."""
        lake = dict(self.contents.rows)
        known = ((place, self._masked(record)) for place, record in self.produced.items())
        return {place: row for place, expected in known if (row := expected or self._unknown(place, lake))}

    def _unknown(self, place: Place, lake: dict[Place, LoginRow]) -> LoginRow | None:
        return lake.get(place) if self.produced[place].expected is Fate.ONE else None

    def _masked(self, record: Record) -> LoginRow | None:
        row = record.expected
        return (
            row._replace(ip=self._mask("ip", row.ip), device_id=self._mask("device_id", row.device_id))
            if isinstance(row, LoginRow)
            else None
        )

    def _mask(self, name: str, value: str) -> str:
        if (name, value) not in self._masks:
            scope = f"field\0logins\0{name}".encode()
            field_key = blake2b(scope, key=self.mask_key, digest_size=32).digest()
            self._masks[name, value] = blake2b(value.encode(), key=field_key, digest_size=16).hexdigest()
        return self._masks[name, value]

    def _doubled(self) -> list[Place]:
        """Return one entry for each row or dead letter beyond a record's first."""
        places = [place for place, _ in self.contents.rows] + [letter.place for letter in self.contents.letters]
        return list((Counter(places) - Counter(set(places))).elements())

    def _wrong_rows(self) -> list[Place]:
        return [place for place, row in self.contents.rows if self.rows.get(place) != row]

    def _wrong_letters(self) -> list[Place]:
        return [letter.place for letter in self.contents.letters if not self._correct(letter)]

    def _correct(self, letter: StoredLetter) -> bool:
        record = self.produced.get(letter.place)
        if record is None or (letter.key, letter.value, letter.headers) != (record.key, record.value, record.headers):
            return False
        return record.expected is Fate.ONE or record.expected == ExpectedLetter(letter.reason)

    def _counters(self) -> bool:
        expected = Counter((row.device_type, row.at // MINUTE * MINUTE) for row in self.rows.values())
        return not self._note("wrong counter", _differences(expected, self.contents.counters))

    def _table(self) -> bool:
        newest: dict[str, tuple[tuple[int, int, int], LoginRow]] = {}
        for (partition, offset), row in self.rows.items():
            candidate = (row.at, offset, partition), row
            newest[row.user_id] = max(newest.get(row.user_id, candidate), candidate)
        expected = {user: row for user, (_, row) in newest.items()}
        return not self._note("wrong row in the table", _differences(expected, self.contents.table))

    def _topic(self) -> bool:
        wrong = [place for place, row in self.contents.messages if self.rows.get(place) != row]
        unsent = self.rows.keys() - dict(self.contents.messages).keys()
        return not (self._note("wrong message", wrong) + self._note("no message", unsent))

    def _announced(self) -> bool:
        stored = {(letter.place, letter.reason) for letter in self.contents.letters}
        return not self._note(
            "dead letter without announcement, or announcement without dead letter", stored ^ self.contents.announced
        )

    def _note(self, what: str, where: Iterable[object]) -> int:
        places = sorted(where, key=str)
        self.problems += [f"{what}: {place}" for place in places[:MAX_EXAMPLES]]
        self.problems += [f"{what}: and {len(places) - MAX_EXAMPLES} more"] if len(places) > MAX_EXAMPLES else []
        return len(places)


def _differences(expected: Mapping[Any, object], found: Mapping[Any, object]) -> list[str]:
    keys = sorted(expected.keys() | found.keys(), key=str)
    return [f"{key}: {found.get(key)} for {expected.get(key)}" for key in keys if found.get(key) != expected.get(key)]
