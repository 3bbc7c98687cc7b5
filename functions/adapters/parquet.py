"""Converts intents to and from Parquet, column by column, compressed with zstd.

In addition to the row's fields a file has the columns of SOURCE: which record each row came from, and the row's number
among those of its record. With history, deletes follow as rows, and a column `_deleted` tells them apart. Producers
choose timestamps, and engines cannot read all of them: `_timestamp` is the nearest time from 1970 to the newest record
that is not from the future, `_timestamp_ms` the number as Kafka has it. The rest of the intent is in the file's
key-value metadata (see intent_json), so that a reader of the lake sees rows only. A file is read by the schema that it
was written with, field by field, by name. What is read equals what was written.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Final

from arro3.core import Array, ChunkedArray, DataType, RecordBatch, Table
from arro3.core import Field as Column
from arro3.core import Schema as Columns
from arro3.io import read_parquet, write_parquet

from functions.adapters import intent_json
from functions.adapters.arrow import array_of, column, ints_of, values_of
from functions.core.column_types import Timestamp
from functions.core.effects import Count
from functions.core.intent import Intent
from functions.core.rows import Deletion, Rows
from functions.core.schema import Schema

MAGIC: Final = b"PAR1"  # the first and the last bytes of every Parquet file
PANIC: Final = "PanicException"  # has no importable name
INTENT: Final = "tandem.intent"
SOURCE: Final = (
    Column("_partition", DataType.int32(), nullable=False),
    Column("_offset", DataType.int64(), nullable=False),
    Column("_timestamp", DataType.timestamp("ms", tz="UTC"), nullable=False),
    Column("_timestamp_ms", DataType.int64(), nullable=False),
    Column("_row", DataType.int32(), nullable=False),
)

DELETED: Final = Column("_deleted", DataType.bool(), nullable=False)  # last, and only with history


def encode(intent: Intent, partition: int) -> bytes:
    """Return the Parquet file of an intent whose records came from one partition."""
    schema, count = intent.schema, len(intent.rows)
    rows = _with_deletes(schema, intent.rows) if intent.history else intent.rows
    arrays = [array_of(field.column_type, rows.columns.get(field.name, ())) for field in schema.fields]
    source = [
        Array([partition] * len(rows), DataType.int32()),
        Array(list(rows.offsets), DataType.int64()),
        Array(_readable(rows.timestamps, intent.cover.newest), DataType.int64()).cast(SOURCE[2].type),
        Array(list(rows.timestamps), DataType.int64()),
        Array(list(rows.numbers), DataType.int32()),
    ]
    if intent.history:
        source.append(Array([index >= count for index in range(len(rows))], DELETED.type))
    batch = RecordBatch.from_arrays([*arrays, *source], schema=_columns(schema, history=intent.history))
    file = BytesIO()
    write_parquet(
        batch,
        file,
        compression="zstd(1)",
        column_dictionary_enabled=_dictionaries(schema),
        key_value_metadata={INTENT: intent_json.encode(intent)},
        skip_arrow_metadata=True,
    )
    return file.getvalue()


def decode(data: bytes) -> Intent:
    """Return the intent of a file.

    Raises ValueError, KeyError or TypeError unless it is a complete file that `encode` wrote, naming the field.
    """
    if not (data.startswith(MAGIC) and data.endswith(MAGIC)):
        raise ValueError("not a Parquet file, or only a part of one")
    try:
        return _intent(read_parquet(BytesIO(data)).read_all())
    except (KeyError, TypeError, ValueError, MemoryError):
        raise
    except BaseException as error:
        # arro3 panics on a damaged file, and Rust's PanicException is not an Exception.
        if not (isinstance(error, Exception) or type(error).__name__ == PANIC):
            raise
        raise ValueError(f"not a Parquet file of rows: {error}") from error


def stored_counts(data: bytes) -> tuple[int, tuple[tuple[Count, ...], ...]] | None:
    """Return the first offset and the counts of a file's intent, if its metadata can be read, whatever its rows are."""
    try:
        return intent_json.counts_in(read_parquet(BytesIO(data)).schema.metadata_str[INTENT])
    except BaseException as error:
        if not (isinstance(error, Exception) or type(error).__name__ == PANIC):
            raise
        return None


def unknown_members(data: bytes, intent: Intent) -> list[str]:
    """Return the parts of a file's intent, which `decode` has returned, that `encode` would lose."""
    return intent_json.unknown_members(read_parquet(BytesIO(data)).schema.metadata_str[INTENT], intent)


def _intent(table: Table) -> Intent:
    text = table.schema.metadata_str.get(INTENT)
    if text is None:
        raise ValueError("it has no intent: it was not written by this version of Tandem")
    return intent_json.parse(text, lambda schema, deletes: _rows(schema, table, deletes))


def _with_deletes(schema: Schema, rows: Rows) -> Rows:
    """Return the rows, followed by the deletes as rows that have values of their keys only."""
    deletes = rows.deletes
    return Rows(
        [*rows.offsets, *(delete.offset for delete in deletes)],
        [*rows.numbers, *(delete.number for delete in deletes)],
        [*rows.timestamps, *(delete.timestamp for delete in deletes)],
        {
            field.name: [*rows.columns.get(field.name, ()), *(delete.keys.get(field.name) for delete in deletes)]
            for field in schema.fields
        },
    )


def _rows(schema: Schema, table: Table, deletes: tuple[Deletion, ...]) -> Rows:
    if DELETED.name in table.column_names:
        deleted = list(map(bool, _array(table, DELETED).to_pylist()))
        count = deleted.count(False)
        if deleted != [False] * count + [True] * len(deletes):
            raise ValueError(f"field {DELETED.name!r}: expected the {len(deletes)} deletes after the rows")
        table = table.slice(0, count)
    _, offset, _, timestamp_ms, row = SOURCE
    columns = {field.name: values_of(field.column_type, _array(table, column(field))) for field in schema.fields}
    offsets, numbers, timestamps = (ints_of(_array(table, source)) for source in (offset, row, timestamp_ms))
    return Rows(offsets, numbers, timestamps, columns, deletes)


def _array(table: Table, expected: Column) -> ChunkedArray:
    """Return a column; ValueError unless its type is the expected one."""
    if expected.name not in table.column_names:
        raise ValueError(f"field {expected.name!r}: the file has no such column")
    array = table.column(expected.name)
    if array.type != expected.type:
        types = f"expected a column of type {_type_name(expected.type)}, got {_type_name(array.type)}"
        raise ValueError(f"field {expected.name!r}: {types}")
    return array


def _type_name(data_type: DataType) -> str:
    """Return such as Int64, from arro3's text "arro3.core.DataType<Int64>" and a line break."""
    return str(data_type).strip().removeprefix("arro3.core.DataType<").removesuffix(">")


def _readable(timestamps: Sequence[int], newest: int) -> list[int]:
    """Clamp to the times that Spark, DuckDB and polars can read; one other makes a whole folder unreadable in Spark."""
    if not timestamps or 0 <= min(timestamps) <= max(timestamps) <= newest:
        return list(timestamps)
    return [min(max(timestamp, 0), max(newest, 0)) for timestamp in timestamps]


@cache
def _columns(schema: Schema, *, history: bool) -> Columns:
    if not history:
        return Columns([*map(column, schema.fields), *SOURCE])
    fields = (replace(field, nullable=True) for field in schema.fields)  # a delete has no values of most
    return Columns([*map(column, fields), *SOURCE, DELETED])


@cache
def _dictionaries(schema: Schema) -> dict[str | Sequence[str], bool]:
    """Disable dictionaries for columns with few repeats: they cost a fifth of the time and enlarge the file."""
    times = [field.name for field in schema.fields if isinstance(field.column_type, Timestamp)]
    return dict.fromkeys(("_offset", "_timestamp", "_timestamp_ms", *times), False)
