"""Converts canonical values to and from Arrow, a column at a time.

Types that arro3 does not accept from Python are cast from types that it accepts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from arro3.core import Array, ChunkedArray, DataType, list_array, struct_array
from arro3.core import Field as Column

from functions.core.column_types import (
    Boolean,
    ColumnType,
    Day,
    Field,
    Float,
    Integer,
    ListOf,
    Number,
    Struct,
    Text,
    Timestamp,
    Uuid,
)
from functions.core.effects import EPOCH, MICROSECOND

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
# To read nested times: for datetimes arro3 needs the system's time zones, which an image may not have.
INTEGER_TIMES: Final = SCALARS | {Timestamp: DataType.int64()}


def data_type(column_type: ColumnType, scalars: Mapping[type, DataType] = SCALARS) -> DataType:
    """Return Arrow's type of a column type."""
    match column_type:
        case Number():
            return DataType.decimal128(column_type.precision, column_type.scale)
        case ListOf():
            return DataType.list(Column("element", data_type(column_type.item, scalars), nullable=column_type.nullable))
        case Struct():
            return DataType.struct([column(field, scalars) for field in column_type.fields])
        case _:
            return scalars[type(column_type)]


def column(field: Field, scalars: Mapping[type, DataType] = SCALARS) -> Column:
    """Return Arrow's column of a row's field."""
    return Column(field.name, data_type(field.column_type, scalars), nullable=field.nullable)


def array_of(column_type: ColumnType, values: Sequence[Any]) -> Array:
    """Convert canonical values to an Arrow array."""
    match column_type:
        case Timestamp():
            return Array(_micros(values), DataType.int64()).cast(data_type(column_type))
        case Day():
            days = [None if v is None else v.toordinal() - FIRST_DAY for v in values]
            return Array(days, DataType.int32()).cast(data_type(column_type))
        case Number():
            return Array([None if v is None else format(v, "f") for v in values], DataType.utf8()).cast(
                data_type(column_type)
            )
        case ListOf():
            return _list(column_type, values)
        case Struct():
            return _struct(column_type, values)
        case _:
            return Array(list(values), data_type(column_type))


def _micros(times: Sequence[datetime | None]) -> list[int | None]:
    """Return exact microseconds since 1970, a fifth faster than by dividing timedeltas; times are the largest cost."""
    return [
        None if v is None else (t := v - EPOCH).days * 86_400_000_000 + t.seconds * 1_000_000 + t.microseconds
        for v in times
    ]


def _list(list_type: ListOf, lists: Sequence[list[Any] | None]) -> Array:
    offsets = [0]
    for items in lists:
        offsets.append(offsets[-1] + len(items or ()))
    elements = array_of(list_type.item, [item for items in lists for item in items or ()])
    return list_array(Array(offsets, DataType.int32()), elements, type=data_type(list_type), mask=_missing(lists))


def _struct(struct_type: Struct, structs: Sequence[dict[str, Any] | None]) -> Array:
    arrays = [
        array_of(field.column_type, [None if v is None else v[field.name] for v in structs])
        for field in struct_type.fields
    ]
    return struct_array(
        arrays,
        fields=[column(field) for field in struct_type.fields],
        type=data_type(struct_type),
        mask=_missing(structs),
    )


def _missing(column_values: Iterable[object]) -> Array:
    return Array([value is None for value in column_values], DataType.bool())


def values_of(column_type: ColumnType, array: ChunkedArray) -> list[Any]:
    """Convert an Arrow array to canonical values."""
    match column_type:
        case Timestamp():
            micros = ints_of(array.cast(data_type(column_type)))
            return [None if v is None else EPOCH + v * MICROSECOND for v in micros]
        case ListOf() | Struct():
            return [
                _nested(column_type, value) for value in array.cast(data_type(column_type, INTEGER_TIMES)).to_pylist()
            ]
        case _:
            return list(array.to_pylist())


def _nested(column_type: ColumnType, value: Any) -> Any:  # noqa: ANN401 - any canonical value
    if value is None:
        return None
    match column_type:
        case Timestamp():
            return EPOCH + value * MICROSECOND
        case ListOf():
            return [_nested(column_type.item, item) for item in value]
        case Struct():
            return {field.name: _nested(field.column_type, value[field.name]) for field in column_type.fields}
        case _:
            return value


def ints_of(array: ChunkedArray) -> list[Any]:
    """Return an array's integers; for timestamps the number of units since 1970."""
    return list(array.cast(DataType.int64()).to_pylist())
