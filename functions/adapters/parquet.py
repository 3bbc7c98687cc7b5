"""Rows <-> Parquet, column by column, compressed with zstd.

Besides the row's fields a file has `_partition`, `_offset` and `_timestamp`: where each row came from. Deletes lie in
the file's key-value metadata, so that a reader of the lake sees rows only. What is read equals what was written.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any, Final

from arro3.core import Array, ChunkedArray, DataType, RecordBatch, Table, list_array, struct_array
from arro3.core import Field as Column
from arro3.core import Schema as Columns
from arro3.io import read_parquet, write_parquet

from functions.core.kinds import (
    Boolean,
    Day,
    Field,
    Float,
    Integer,
    Kind,
    ListOf,
    Number,
    Struct,
    Text,
    Timestamp,
    Uuid,
)
from functions.core.rows import Delete, Rows
from functions.core.schema import Schema

MAGIC: Final = b"PAR1"  # how every Parquet file begins and ends
PANIC: Final = "PanicException"  # has no importable name
DELETES: Final = "tandem.deletes"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
FIRST_DAY: Final = date(1970, 1, 1).toordinal()
SCALARS: Final[dict[type, DataType]] = {
    Text: DataType.utf8(),
    Integer: DataType.int64(),
    Float: DataType.float64(),
    Boolean: DataType.bool(),
    Timestamp: DataType.timestamp("us", tz="UTC"),
    Day: DataType.date32(),
    Uuid: DataType.utf8(),
}
COUNTED: Final = SCALARS | {
    Timestamp: DataType.int64()
}  # arro3 asks the system's time zones for UTC: there may be none
SOURCE: Final = (
    Column("_partition", DataType.int32(), nullable=False),
    Column("_offset", DataType.int64(), nullable=False),
    Column("_timestamp", DataType.timestamp("ms", tz="UTC"), nullable=False),
)


def encode(schema: Schema, partition: int, rows: Rows) -> bytes:
    """The file of these rows; all of them came from one partition."""
    arrays = [_array(field.kind, rows.columns.get(field.name, ())) for field in schema.fields]
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
    """The rows of a file. A field that the file was written without reads as None; ValueError for no file of rows."""
    if not (data.startswith(MAGIC) and data.endswith(MAGIC)):
        raise ValueError("not a Parquet file, or a part of one")
    try:
        return _rows(schema, read_parquet(BytesIO(data)).read_all())
    except BaseException as error:
        # Of a damaged file arro3 panics, and Rust's PanicException is no Exception.
        if isinstance(error, MemoryError) or not (isinstance(error, Exception) or type(error).__name__ == PANIC):
            raise
        raise ValueError(f"not a Parquet file of rows: {error!r}") from error


def _rows(schema: Schema, table: Table) -> Rows:
    found = {name: table.column(name) for name in table.column_names}
    offsets = _ints(found["_offset"])
    columns = {
        field.name: _values(field.kind, found[field.name]) if field.name in found else [None] * len(offsets)
        for field in schema.fields
    }
    deletes = tuple(_delete(*told) for told in json.loads(table.schema.metadata_str.get(DELETES, "[]")))
    return Rows(offsets, _ints(found["_timestamp"]), columns, deletes)


@cache
def _columns(schema: Schema) -> Columns:
    return Columns(
        [*(Column(field.name, _type(field.kind), nullable=field.nullable) for field in schema.fields), *SOURCE]
    )


@cache
def _dictionaries(schema: Schema) -> dict[str | Sequence[str], bool]:
    """No dictionaries of what hardly ever repeats: they cost a fifth of the time and make the file larger."""
    times = [field.name for field in schema.fields if isinstance(field.kind, Timestamp)]
    return dict.fromkeys(("_offset", "_timestamp", *times), False)


def _type(kind: Kind, scalars: Mapping[type, DataType] = SCALARS) -> DataType:
    match kind:
        case Number():
            return DataType.decimal128(kind.precision, kind.scale)
        case ListOf():
            return DataType.list(Column("element", _type(kind.item, scalars), nullable=kind.nullable))
        case Struct():
            return DataType.struct([_column(field, scalars) for field in kind.fields])
        case _:
            return scalars[type(kind)]


def _column(field: Field, scalars: Mapping[type, DataType] = SCALARS) -> Column:
    return Column(field.name, _type(field.kind, scalars), nullable=field.nullable)


def _array(kind: Kind, values: Sequence[Any]) -> Array:
    """An array of canonical values. What arro3 does not take from Python is cast from what it does take."""
    match kind:
        case Timestamp():
            return Array(_micros(values), DataType.int64()).cast(_type(kind))
        case Day():
            days = [None if v is None else v.toordinal() - FIRST_DAY for v in values]
            return Array(days, DataType.int32()).cast(_type(kind))
        case Number():
            return Array([None if v is None else format(v, "f") for v in values], DataType.utf8()).cast(_type(kind))
        case ListOf():
            return _list(kind, values)
        case Struct():
            return _struct(kind, values)
        case _:
            return Array(list(values), _type(kind))


def _micros(values: Sequence[datetime | None]) -> list[int | None]:
    """Microseconds since 1970, exact; a fifth faster than dividing timedeltas, and times are what costs most here."""
    return [
        None if v is None else (t := v - EPOCH).days * 86_400_000_000 + t.seconds * 1_000_000 + t.microseconds
        for v in values
    ]


def _list(kind: ListOf, values: Sequence[list[Any] | None]) -> Array:
    offsets = [0]
    for value in values:
        offsets.append(offsets[-1] + len(value or ()))
    items = _array(kind.item, [item for value in values for item in value or ()])
    return list_array(Array(offsets, DataType.int32()), items, type=_type(kind), mask=_missing(values))


def _struct(kind: Struct, values: Sequence[dict[str, Any] | None]) -> Array:
    arrays = [_array(field.kind, [None if v is None else v[field.name] for v in values]) for field in kind.fields]
    return struct_array(
        arrays, fields=[_column(field) for field in kind.fields], type=_type(kind), mask=_missing(values)
    )


def _missing(values: Iterable[object]) -> Array:
    return Array([value is None for value in values], DataType.bool())


def _values(kind: Kind, array: ChunkedArray) -> list[Any]:
    """The canonical values of an array."""
    match kind:
        case Timestamp():
            micros = _ints(array.cast(_type(kind)))
            return [None if v is None else EPOCH + v * MICROSECOND for v in micros]
        case ListOf() | Struct():
            return [_nested(kind, value) for value in array.cast(_type(kind, COUNTED)).to_pylist()]
        case _:
            return list(array.to_pylist())


def _nested(kind: Kind, value: Any) -> Any:  # noqa: ANN401 - any canonical value
    if value is None:
        return None
    match kind:
        case Timestamp():
            return EPOCH + value * MICROSECOND
        case ListOf():
            return [_nested(kind.item, item) for item in value]
        case Struct():
            return {field.name: _nested(field.kind, value[field.name]) for field in kind.fields}
        case _:
            return value


def _ints(array: ChunkedArray) -> list[Any]:
    return list(array.cast(DataType.int64()).to_pylist())


def _told(delete: Delete) -> list[object]:
    return [delete.offset, delete.timestamp, b64encode(delete.key).decode()]


def _delete(offset: int, timestamp: int, key: str) -> Delete:
    return Delete(offset, timestamp, b64decode(key))
