"""Canonical values <-> Arrow, a column at a time. What arro3 does not take from Python is cast from what it takes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from arro3.core import Array, ChunkedArray, DataType, list_array, struct_array
from arro3.core import Field as Column

from functions.core.effects import EPOCH, MICROSECOND
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
# For reading nested times: as datetimes arro3 would ask the system's time zones for UTC, and an image may have none.
COUNTED: Final = SCALARS | {Timestamp: DataType.int64()}


def data_type(kind: Kind, scalars: Mapping[type, DataType] = SCALARS) -> DataType:
    """Arrow's type of a kind."""
    match kind:
        case Number():
            return DataType.decimal128(kind.precision, kind.scale)
        case ListOf():
            return DataType.list(Column("element", data_type(kind.item, scalars), nullable=kind.nullable))
        case Struct():
            return DataType.struct([column(field, scalars) for field in kind.fields])
        case _:
            return scalars[type(kind)]


def column(field: Field, scalars: Mapping[type, DataType] = SCALARS) -> Column:
    """Arrow's field of a field."""
    return Column(field.name, data_type(field.kind, scalars), nullable=field.nullable)


def array_of(kind: Kind, values: Sequence[Any]) -> Array:
    """An array of canonical values."""
    match kind:
        case Timestamp():
            return Array(_micros(values), DataType.int64()).cast(data_type(kind))
        case Day():
            days = [None if v is None else v.toordinal() - FIRST_DAY for v in values]
            return Array(days, DataType.int32()).cast(data_type(kind))
        case Number():
            return Array([None if v is None else format(v, "f") for v in values], DataType.utf8()).cast(data_type(kind))
        case ListOf():
            return _list(kind, values)
        case Struct():
            return _struct(kind, values)
        case _:
            return Array(list(values), data_type(kind))


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
    items = array_of(kind.item, [item for value in values for item in value or ()])
    return list_array(Array(offsets, DataType.int32()), items, type=data_type(kind), mask=_missing(values))


def _struct(kind: Struct, values: Sequence[dict[str, Any] | None]) -> Array:
    arrays = [array_of(field.kind, [None if v is None else v[field.name] for v in values]) for field in kind.fields]
    return struct_array(
        arrays, fields=[column(field) for field in kind.fields], type=data_type(kind), mask=_missing(values)
    )


def _missing(values: Iterable[object]) -> Array:
    return Array([value is None for value in values], DataType.bool())


def values_of(kind: Kind, array: ChunkedArray) -> list[Any]:
    """The canonical values of an array."""
    match kind:
        case Timestamp():
            micros = ints_of(array.cast(data_type(kind)))
            return [None if v is None else EPOCH + v * MICROSECOND for v in micros]
        case ListOf() | Struct():
            return [_nested(kind, value) for value in array.cast(data_type(kind, COUNTED)).to_pylist()]
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


def ints_of(array: ChunkedArray) -> list[Any]:
    """Integers; timestamps as their number of units since 1970."""
    return list(array.cast(DataType.int64()).to_pylist())
