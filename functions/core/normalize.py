"""Model values -> canonical values, a whole column at a time.

A cheap check first tries to prove that the whole column is canonical. Only if that fails is each value converted
separately, which also finds the values that cannot be stored.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from enum import Enum
from functools import partial
from math import isfinite
from typing import Any, Final

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
from functions.core.foreign import text_of

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
NO_VALUE: Final = "expected a value, got None"
PYTHON_TYPES: Final[dict[type, type]] = {
    Text: str, Integer: int, Float: float, Boolean: bool, Day: date, Timestamp: datetime,
}  # fmt: skip


def normalize(field: Field, column: Sequence[Any]) -> tuple[list[Any], dict[int, str | BaseException]]:
    """Return the canonical column. A row that cannot be stored has the value None, and a problem.

    The problem is text, or what the value's own code raised.
    """
    if _is_canonical(field, column):
        return list(column), {}
    convert = converter(field.column_type)
    values: list[Any] = []
    problems: dict[int, str | BaseException] = {}
    for index, value in enumerate(column):
        try:
            values.append(None if value is None else convert(value))
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            values.append(None)
            problems[index] = f"{field.name}: {text_of(error)}"
        except BaseException as error:  # noqa: BLE001 - a value's class may raise anything: see foreign
            values.append(None)
            problems[index] = error
    if not field.nullable:  # pydantic does not validate defaults, so a default of None gets here
        problems |= {index: f"{field.name}: {NO_VALUE}" for index, value in enumerate(column) if value is None}
    return values, problems


def _is_canonical(field: Field, column: Sequence[Any]) -> bool:
    """Return True only if every value is certainly canonical."""
    column_type = field.column_type
    expected, actual = PYTHON_TYPES.get(type(column_type)), set(map(type, column))
    if expected is None or not actual <= ({expected, type(None)} if field.nullable else {expected}):
        return False
    present = [value for value in column if value is not None] if type(None) in actual else column
    if isinstance(column_type, Text):
        return _encodable("".join(present))
    if isinstance(column_type, Integer):
        return not present or (min(present) >= INT64_MIN and max(present) <= INT64_MAX)
    if isinstance(column_type, Float):
        return isfinite(sum(present))
    return not isinstance(column_type, Timestamp) or all(value.tzinfo is UTC for value in present)


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _nullable_converter(column_type: ColumnType, nullable: bool) -> Callable[[Any], Any]:  # noqa: FBT001 - mirrors Field.nullable
    """Return `converter` for a value inside a list or struct, where None is converted too, or refused."""
    convert = converter(column_type)

    def convert_nullable(value: Any) -> Any:  # noqa: ANN401
        if value is not None:
            return convert(value)
        if nullable:
            return None
        raise ValueError(NO_VALUE)

    return convert_nullable


def converter(column_type: ColumnType) -> Callable[[Any], Any]:
    """Return a function from one value (not None) to its canonical value.

    It raises ValueError, TypeError, AttributeError or ArithmeticError for a value that cannot be stored.
    """
    match column_type:
        case Number():
            return partial(_number, column_type)
        case ListOf():
            return partial(_list, _nullable_converter(column_type.item, column_type.nullable))
        case Struct():
            return partial(
                _struct,
                [(field.name, _nullable_converter(field.column_type, field.nullable)) for field in column_type.fields],
            )
        case _:
            return SCALARS[type(column_type)]


def _text(value: Any) -> str:  # noqa: ANN401 - here and below: any value of a model
    text = value.value if isinstance(value, Enum) else str(value)
    if not _encodable(text):
        raise ValueError("expected text that UTF-8 can encode")
    return str(text)


def _integer(value: Any) -> int:  # noqa: ANN401
    number = int(value.value if isinstance(value, Enum) else value)
    if not INT64_MIN <= number <= INT64_MAX:
        raise ValueError("expected an integer of 64 bits")
    return number


def _float(value: Any) -> float:  # noqa: ANN401
    number = float(value)
    if not isfinite(number):
        raise ValueError("expected a finite number: JSON and some stores have no others")
    return number


def _timestamp(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("expected a datetime with a time zone")
    return time.astimezone(UTC)


def _day(day: date) -> date:
    return date(day.year, day.month, day.day)


def _number(column_type: Number, number: Decimal) -> Decimal:
    try:
        stored = number.quantize(Decimal(1).scaleb(-column_type.scale), context=Context(prec=column_type.precision))
    except InvalidOperation:
        stored = None
    if stored is None or stored != number:
        raise ValueError(f"expected at most {column_type.precision} digits, {column_type.scale} of them decimals")
    return stored or stored.copy_abs()  # Parquet does not keep the sign of -0


def _list(convert: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    return [convert(value) for value in values]


def _struct(fields: Sequence[tuple[str, Callable[[Any], Any]]], value: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: convert(getattr(value, name)) for name, convert in fields}


SCALARS: Final[dict[type, Callable[[Any], Any]]] = {
    Text: _text, Integer: _integer, Float: _float, Boolean: bool, Timestamp: _timestamp, Day: _day, Uuid: str,
}  # fmt: skip
