"""Whose data an erasure removes, and what is left of an intent and of a dead letter then.

A person is identified by the value of one column of the pipeline's rows, and by the key of their records. If the column
is masked, its mask counts as well as the value itself, which objects hold that were written before it was masked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import compress
from typing import NamedTuple
from urllib.parse import parse_qsl

from functions.core.column_types import Field, Integer, Text, Uuid
from functions.core.dead_letter import DeadLetter
from functions.core.effects import Count
from functions.core.errors import InvalidSetting
from functions.core.exact_json import loads
from functions.core.intent import Intent
from functions.core.keys import INT64, INTEGER, UUID, JsonKey
from functions.core.masking import Masker
from functions.core.pipeline import AnyPipeline
from functions.core.plan import holds_row
from functions.core.rows import Rows


@dataclass(frozen=True, slots=True)
class Subject:
    """The person: `key` as it was given, and the canonical values of `column` that are theirs."""

    key: str
    column: str
    values: frozenset[str | int]

    @property
    def texts(self) -> frozenset[str]:
        """The texts that stand for the person in keys of records and in names of groups."""
        return frozenset({self.key, *map(str, self.values)})

    def has(self, value: object) -> bool:
        """Return whether a value of the column is theirs."""
        return type(value) in {str, int} and value in self.values


class ErasedParts(NamedTuple):
    """How many rows, deletes and counts of an intent are of a person."""

    rows: int = 0
    deletes: int = 0
    counts: int = 0


def column_of(pipeline: AnyPipeline, column: str | None) -> str:
    """Return the column that identifies a person: the one that is given, or the partition key of the only table.

    InvalidSetting if there is no such column, or none is given and the tables do not agree on one.
    """
    if column is not None:
        if column in (field.name for field in pipeline.schema.fields):
            return column
        names = ", ".join(field.name for field in pipeline.schema.fields)
        raise InvalidSetting(f"--column: expected a field of {pipeline.name}'s rows, one of {names}, got {column!r}")
    keys = {table.key_fields[0] for table in pipeline.tables}
    if len(keys) != 1:
        found = f"the tables have the keys {', '.join(sorted(keys))}" if keys else "there is no table, whose key it is"
        raise InvalidSetting(f"--column: missing, expected the field of the rows that identifies a person: {found}")
    return keys.pop()


def subject_of(pipeline: AnyPipeline, key: str, column: str, mask_key: bytes) -> Subject:
    """Return the person with this key. InvalidSetting unless the column is of texts, integers or UUIDs."""
    kind = pipeline.schema.column_type(column)
    match kind:
        case Text():
            values = {key}
            if kind.mask is not None:
                masker = Masker(pipeline.name, mask_key)
                values.add(masker.masked([Field(column, kind, nullable=False)], {column: [key]})[column][0])
            return Subject(key, column, frozenset(values))
        case Integer() if INTEGER.fullmatch(key) and int(key) in INT64:
            return Subject(key, column, frozenset({int(key)}))
        case Uuid() if UUID.fullmatch(key):
            return Subject(key, column, frozenset({key.lower()}))
        case Integer() | Uuid():
            expected = "an integer of 64 bits" if isinstance(kind, Integer) else "a UUID"
            raise InvalidSetting(f"KEY: expected {expected}, as {column} holds")
        case _:
            name = type(kind).__name__
            raise InvalidSetting(f"--column: expected a field of texts, integers or UUIDs, {column!r} is a {name}")


def without(intent: Intent, subject: Subject) -> tuple[Intent, ErasedParts]:
    """Return the intent without the rows, deletes and counts of a person, and how many these were.

    All else is as it was: what the intent covers, its schema, and the offset and number of every row that is left. The
    counters keep what was counted; the intent only forgets the groups that are named after the person.
    """
    rows, counts = intent.rows, intent.counts
    kept = [not subject.has(value) for value in rows.columns.get(subject.column, ())] or [True] * len(rows)
    deletes = tuple(delete for delete in rows.deletes if not subject.has(delete.keys.get(subject.column)))
    left = tuple(tuple(count for count in chunk if not _is_group_of(count, subject)) for chunk in counts)
    parts = ErasedParts(kept.count(False), len(rows.deletes) - len(deletes), _size(counts) - _size(left))
    if not any(parts):
        return intent, parts
    remaining = Rows(
        list(compress(rows.offsets, kept)),
        list(compress(rows.numbers, kept)),
        list(compress(rows.timestamps, kept)),
        {name: list(compress(column, kept)) for name, column in rows.columns.items()},
        deletes,
    )
    return replace(intent, rows=remaining, counts=left), parts


def is_behind(intent: Intent, next_offset: int | None) -> bool:
    """Return whether a ledger with this next offset has passed an intent: no writer rolls it forward any more.

    None: the ledger has no such partition.
    """
    return next_offset is not None and intent.cover.next < next_offset


def _size(counts: tuple[tuple[Count, ...], ...]) -> int:
    return sum(map(len, counts))


def _is_group_of(count: Count, subject: Subject) -> bool:
    fields = parse_qsl(count.group, keep_blank_values=True)
    return any(name == subject.column and text in subject.texts for name, text in fields)


def is_key_of(key: bytes | None, subject: Subject) -> bool:
    """Return whether a record's key is the person's: text, JSON text, a JSON number, or an object's member `column`."""
    return key is not None and not _texts(key, subject.column).isdisjoint(subject.texts)


def is_letter_of(letter: DeadLetter, subject: Subject) -> bool:
    """Return whether a letter's record has the person's key, or its value is a row of theirs."""
    if is_key_of(letter.key, subject):
        return True
    return holds_row(letter) and any(map(subject.has, _members(letter.value or b"", subject.column)))


def mentions(letter: DeadLetter, subject: Subject) -> bool:
    """Return whether the bytes of the person's key occur anywhere in a letter: they may be a part of something else."""
    text = subject.key.encode(errors="surrogatepass")
    contents = (letter.key, letter.value, *(value for _, value in letter.headers))
    return any(text in (content or b"") for content in contents) or subject.key in letter.detail + letter.traceback


def _texts(key: bytes, column: str) -> set[str]:
    """Return the texts that a record's key may stand for."""
    texts = {key.decode(errors="replace")}
    try:
        value = JsonKey().decode(key)
    except (ValueError, RecursionError):
        return texts
    value = value.get(column) if isinstance(value, Mapping) else value
    return texts | {str(value)} if type(value) in {str, int} else texts


def _members(value: bytes, name: str) -> list[object]:
    """Return a member of a row, or of each of several rows, as a letter holds them."""
    try:
        rows = loads(value)
    except (ValueError, RecursionError):
        return []
    return [row.get(name) for row in (rows if isinstance(rows, list) else [rows]) if isinstance(row, dict)]
