"""Rows <-> Parquet, column by column, compressed with zstd.

Besides the row's fields a file has `_partition`, `_offset` and `_timestamp`: where each row came from. Deletes lie in
the file's key-value metadata, so that a reader of the lake sees rows only. What is read equals what was written.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Final

from arro3.core import Array, DataType, RecordBatch, Table
from arro3.core import Field as Column
from arro3.core import Schema as Columns
from arro3.io import read_parquet, write_parquet

from functions.adapters.arrow import array_of, column, ints_of, values_of
from functions.core.kinds import Timestamp
from functions.core.rows import Delete, Rows
from functions.core.schema import Schema

MAGIC: Final = b"PAR1"  # how every Parquet file begins and ends
PANIC: Final = "PanicException"  # has no importable name
DELETES: Final = "tandem.deletes"
SOURCE: Final = (
    Column("_partition", DataType.int32(), nullable=False),
    Column("_offset", DataType.int64(), nullable=False),
    Column("_timestamp", DataType.timestamp("ms", tz="UTC"), nullable=False),
)


def encode(schema: Schema, partition: int, rows: Rows) -> bytes:
    """The file of these rows; all of them came from one partition."""
    arrays = [array_of(field.kind, rows.columns.get(field.name, ())) for field in schema.fields]
    source = [
        Array([partition] * len(rows), DataType.int32()),
        Array(list(rows.offsets), DataType.int64()),
        Array(list(rows.timestamps), DataType.int64()).cast(SOURCE[2].type),
    ]
    batch = RecordBatch.from_arrays([*arrays, *source], schema=_columns(schema))
    file = BytesIO()
    deletes = {DELETES: json.dumps([_told(delete) for delete in rows.deletes])} if rows.deletes else {}
    write_parquet(
        batch,
        file,
        compression="zstd(1)",
        column_dictionary_enabled=_dictionaries(schema),
        key_value_metadata=deletes,
        skip_arrow_metadata=True,
    )
    return file.getvalue()


def decode(schema: Schema, data: bytes) -> Rows:
    """The rows of a file. A field that the file was written without reads as None.

    Raises ValueError for what is not a whole Parquet file, KeyError for one without the source columns.
    """
    if not (data.startswith(MAGIC) and data.endswith(MAGIC)):
        raise ValueError("not a Parquet file, or a part of one")
    try:
        return _rows(schema, read_parquet(BytesIO(data)).read_all())
    except (KeyError, MemoryError):
        raise
    except BaseException as error:
        # Of a damaged file arro3 panics, and Rust's PanicException is no Exception.
        if not (isinstance(error, Exception) or type(error).__name__ == PANIC):
            raise
        raise ValueError(f"not a Parquet file of rows: {error!r}") from error


def _rows(schema: Schema, table: Table) -> Rows:
    found = {name: table.column(name) for name in table.column_names}
    offsets = ints_of(found["_offset"])
    columns = {
        field.name: values_of(field.kind, found[field.name]) if field.name in found else [None] * len(offsets)
        for field in schema.fields
    }
    deletes = tuple(_delete(*told) for told in json.loads(table.schema.metadata_str.get(DELETES, "[]")))
    return Rows(offsets, ints_of(found["_timestamp"]), columns, deletes)


@cache
def _columns(schema: Schema) -> Columns:
    return Columns([*map(column, schema.fields), *SOURCE])


@cache
def _dictionaries(schema: Schema) -> dict[str | Sequence[str], bool]:
    """No dictionaries of what hardly ever repeats: they cost a fifth of the time and make the file larger."""
    times = [field.name for field in schema.fields if isinstance(field.kind, Timestamp)]
    return dict.fromkeys(("_offset", "_timestamp", *times), False)


def _told(delete: Delete) -> list[object]:
    return [delete.offset, delete.timestamp, b64encode(delete.key).decode()]


def _delete(offset: int, timestamp: int, key: str) -> Delete:
    return Delete(offset, timestamp, b64decode(key))
