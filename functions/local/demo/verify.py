"""Was anything lost, doubled or miscounted? Compares what was produced with what the stores hold.

Law: it shares no code with the pipeline. What must be there follows from how the records were made and from the
documented rules: BLAKE2b masks, minutes, and the newest login of a user, in a draw the greater offset, then partition.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any

from functions.local.demo.found import Found, StoredLetter
from functions.local.demo.record import Fate, Letter, Place, Produced, Record, Row
from functions.local.demo.verdict import Verdict

TOLD = 5  # examples of each problem
MINUTE = 60


@dataclass
class Verification:
    """Looks at each thing once; `verdict` puts it together."""

    produced: Produced
    found: Found
    mask_key: bytes
    problems: list[str] = field(default_factory=list)
    _masks: dict[str, str] = field(default_factory=dict)

    def verdict(self) -> Verdict:
        """Compare everything."""
        rows, letters = dict(self.found.rows), {letter.place: letter for letter in self.found.letters}
        nowhere = self.produced.keys() - rows.keys() - letters.keys()
        dropped = {place for place in nowhere if self.produced[place].expected is Fate.DROP}
        matches = (self._counters(), self._table(), self._topic(), self._announced())
        return Verdict(
            records_in=len(self.produced),
            rows_in_lake=len(self.found.rows),
            dead_letters=len(self.found.letters),
            dead_letters_by_reason=dict(sorted(Counter(each.reason for each in self.found.letters).items())),
            dropped=len(dropped),
            missing=self._note("missing", nowhere - dropped),
            duplicates=self._note("doubled", self._doubled()),
            wrong=self._note("wrong row", self._wrong_rows()) + self._note("wrong dead letter", self._wrong_letters()),
            counters_match=matches[0],
            table_match=matches[1],
            topic_unique_match=matches[2],
            announcements_match=matches[3],
            topic_repeated=len(self.found.messages) - len(dict(self.found.messages)),
            problems=tuple(self.problems),
        )

    @cached_property
    def rows(self) -> dict[Place, Row]:
        """The rows that must be there. Of a file's lines only the lake knows which became rows."""
        lake = dict(self.found.rows)
        known = ((place, self._masked(record)) for place, record in self.produced.items())
        return {place: row for place, given in known if (row := given or self._unknown(place, lake))}

    def _unknown(self, place: Place, lake: dict[Place, Row]) -> Row | None:
        return lake.get(place) if self.produced[place].expected is Fate.ONE else None

    def _masked(self, record: Record) -> Row | None:
        row = record.expected
        return (
            row._replace(ip=self._mask(row.ip), device_id=self._mask(row.device_id)) if isinstance(row, Row) else None
        )

    def _mask(self, value: str) -> str:
        if value not in self._masks:
            self._masks[value] = blake2b(value.encode(), key=self.mask_key, digest_size=16).hexdigest()
        return self._masks[value]

    def _doubled(self) -> list[Place]:
        """One entry for each row or dead letter beyond a record's first."""
        places = [place for place, _ in self.found.rows] + [letter.place for letter in self.found.letters]
        return list((Counter(places) - Counter(set(places))).elements())

    def _wrong_rows(self) -> list[Place]:
        return [place for place, row in self.found.rows if self.rows.get(place) != row]

    def _wrong_letters(self) -> list[Place]:
        return [letter.place for letter in self.found.letters if not self._right(letter)]

    def _right(self, letter: StoredLetter) -> bool:
        record = self.produced.get(letter.place)
        if record is None or (letter.key, letter.value, letter.headers) != (record.key, record.value, record.headers):
            return False
        return record.expected is Fate.ONE or record.expected == Letter(letter.reason)

    def _counters(self) -> bool:
        expected = Counter((row.device_type, row.at // MINUTE * MINUTE) for row in self.rows.values())
        return not self._note("wrong counter", _differences(expected, self.found.counters))

    def _table(self) -> bool:
        newest: dict[str, tuple[tuple[int, int, int], Row]] = {}
        for (partition, offset), row in self.rows.items():
            candidate = (row.at, offset, partition), row
            newest[row.user_id] = max(newest.get(row.user_id, candidate), candidate)
        expected = {user: row for user, (_, row) in newest.items()}
        return not self._note("wrong row in the table", _differences(expected, self.found.table))

    def _topic(self) -> bool:
        wrong = [place for place, row in self.found.messages if self.rows.get(place) != row]
        unsent = self.rows.keys() - dict(self.found.messages).keys()
        return not (self._note("wrong message", wrong) + self._note("no message", unsent))

    def _announced(self) -> bool:
        stored = {(letter.place, letter.reason) for letter in self.found.letters}
        return not self._note("dead letter without announcement, or the other way round", stored ^ self.found.announced)

    def _note(self, what: str, where: Iterable[object]) -> int:
        places = sorted(where, key=str)
        self.problems += [f"{what}: {place}" for place in places[:TOLD]]
        self.problems += [f"{what}: and {len(places) - TOLD} more"] if len(places) > TOLD else []
        return len(places)


def _differences(expected: Mapping[Any, object], found: Mapping[Any, object]) -> list[str]:
    keys = sorted(expected.keys() | found.keys(), key=str)
    return [f"{key}: {found.get(key)} for {expected.get(key)}" for key in keys if found.get(key) != expected.get(key)]
