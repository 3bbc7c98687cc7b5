"""What rows do besides lying in the lake: counts, table rows, messages. Pure functions of canonical rows.

Whoever rolls a slice forward derives the same effects from the object's rows as its first writer did from the records.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from pydantic_core import to_json

from functions.core.kinds import Integer, Kind, Uuid
from functions.core.rows import Rows
from functions.core.sinks import Counters, Table, Topic

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SOURCE_HEADER: Final = "tandem-source"


class Count(NamedTuple):
    """Add `amount` to a counter. `group` reads "device_type=ios&locale=RU"; `bucket` begins then, in Unix seconds."""

    counter: str
    group: str
    bucket: int
    amount: int


class Order(NamedTuple):
    """Which of two rows of a key wins: the newer; of equally new ones a fixed one, so that every arrival ends alike."""

    newest: int
    offset: int
    partition: int


class Newest(NamedTuple):
    """A candidate for a table. `row` None deletes: the table remembers the order, so that no older row comes back."""

    key: str | int
    order: Order
    row: Mapping[str, Any] | None


class Message(NamedTuple):
    """A message of a topic sink."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


def counts(sink: Counters, rows: Rows) -> list[Count]:
    """One count per group and bucket, sorted, so that every writer splits them alike."""
    every = sink.every
    buckets = [int(at.timestamp() // every) * every for at in _column(rows, sink.at)]
    groups = zip(*(_column(rows, name) for name in sink.by), strict=True) if sink.by else [()] * len(rows)
    tally = Counter(zip(groups, buckets, strict=True))
    return sorted(Count(sink.name, _group(sink.by, group), bucket, n) for (group, bucket), n in tally.items())


def _group(names: Sequence[str], values: Sequence[Any]) -> str:
    return urlencode([(name, value) for name, value in zip(names, values, strict=True) if value is not None])


def newest(sink: Table, kind: Kind, partition: int, rows: Rows) -> list[Newest]:
    """At most one candidate per key: the greatest order of these rows, and of these deletes."""
    ages = _column(rows, sink.newest_by)
    best: dict[str | int, int] = {}
    for at, key in enumerate(_column(rows, sink.key)):
        # Offsets rise, so of two equally new rows the later one has the greater order.
        if key not in best or ages[best[key]] <= ages[at]:
            best[key] = at
    found = {
        key: Newest(key, Order(_number(ages[at]), rows.offsets[at], partition), _row(rows, at))
        for key, at in best.items()
    }
    for delete in rows.deletes:
        key, order = table_key(kind, delete.key), Order(delete.timestamp * 1000, delete.offset, partition)
        if key not in found or found[key].order < order:
            found[key] = Newest(key, order, None)
    return list(found.values())


def table_key(kind: Kind, key: bytes) -> str | int:
    """A record's key as a table's key; ValueError if it cannot be one."""
    text = key.decode()
    if not text:
        raise ValueError("it is empty")
    if isinstance(kind, Integer):
        return int(text)
    return str(UUID(text)) if isinstance(kind, Uuid) else text


def messages(sink: Topic, source: str, rows: Rows) -> list[Message]:
    """One message a row; `source` ("topic/partition") and the offset go into the header `tandem-source`."""
    names = tuple(rows.columns)
    values = [to_json(dict(zip(names, row, strict=True))) for row in zip(*rows.columns.values(), strict=True)]
    keys = [None if key is None else str(key).encode() for key in _column(rows, sink.key)]
    return [
        Message(key, value, [(SOURCE_HEADER, b"%b/%d" % (source.encode(), offset))])
        for key, value, offset in zip(keys, values, rows.offsets, strict=True)
    ]


def _column(rows: Rows, name: str) -> Sequence[Any]:
    return rows.columns[name]


def _row(rows: Rows, at: int) -> dict[str, Any]:
    return {name: column[at] for name, column in rows.columns.items()}


def _number(value: datetime | date | int) -> int:
    """Microseconds of a datetime, days of a date, an int as it is: exact, and in order."""
    if isinstance(value, datetime):
        return (value - EPOCH) // MICROSECOND
    return value.toordinal() if isinstance(value, date) else value
