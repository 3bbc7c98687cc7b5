"""Model values -> canonical values, a whole column at a time.

A column is first taken at once, by a cheap check that proves all of it canonical. Only if that fails is each value
converted by itself, which also finds those that cannot be stored.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from enum import Enum
from functools import partial
from typing import Any, Final

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

SMALLEST: Final = -(2**63)
GREATEST: Final = 2**63 - 1
PLAIN: Final[dict[type, type]] = {
    Text: str, Integer: int, Float: float, Boolean: bool, Day: date, Timestamp: datetime,
}  # fmt: skip


def canonical(field: Field, column: Sequence[Any]) -> tuple[list[Any], dict[int, str]]:
    """The canonical column, and why for each row that cannot be stored (whose value is None then)."""
    if _proven(field, column):
        return list(column), {}
    convert = converter(field.kind)
    values: list[Any] = []
    problems: dict[int, str] = {}
    for at, value in enumerate(column):
        try:
            values.append(None if value is None else convert(value))
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            values.append(None)
            problems[at] = f"{field.name}: {error}"
    if not field.nullable:  # a default of None, for one, escapes pydantic's validation
        problems |= {at: f"{field.name}: takes no None" for at, value in enumerate(column) if value is None}
    return values, problems


def _proven(field: Field, column: Sequence[Any]) -> bool:
    """Whether every value is sure to be canonical."""
    kind = field.kind
    plain, found = PLAIN.get(type(kind)), set(map(type, column))
    if plain is None or not found <= ({plain, type(None)} if field.nullable else {plain}):
        return False
    present = [value for value in column if value is not None] if type(None) in found else column
    if isinstance(kind, Text):
        return _encodable("".join(present))
    if isinstance(kind, Integer):
        return not present or (min(present) >= SMALLEST and max(present) <= GREATEST)
    return not isinstance(kind, Timestamp) or all(value.tzinfo is UTC for value in present)


def _encodable(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _taker(kind: Kind, nullable: bool) -> Callable[[Any], Any]:  # noqa: FBT001 - as Field says it
    """`converter`, inside a list or struct: for a value that may be None, or must not."""
    convert = converter(kind)

    def take(value: Any) -> Any:  # noqa: ANN401
        if value is not None:
            return convert(value)
        if nullable:
            return None
        raise ValueError("takes no None")

    return take


def converter(kind: Kind) -> Callable[[Any], Any]:
    """A function from one present value to its canonical value; it raises ValueError and its like, saying why not."""
    match kind:
        case Number():
            return partial(_number, kind)
        case ListOf():
            return partial(_list, _taker(kind.item, kind.nullable))
        case Struct():
            return partial(_struct, [(field.name, _taker(field.kind, field.nullable)) for field in kind.fields])
        case _:
            return SCALARS[type(kind)]


def _text(value: Any) -> str:  # noqa: ANN401 - here and below: what a model holds
    text = value.value if isinstance(value, Enum) else str(value)
    if not _encodable(text):
        raise ValueError("takes text that UTF-8 can encode")
    return str(text)


def _integer(value: Any) -> int:  # noqa: ANN401
    number = int(value.value if isinstance(value, Enum) else value)
    if not SMALLEST <= number <= GREATEST:
        raise ValueError("takes an integer of 64 bits")
    return number


def _timestamp(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("takes a datetime with a time zone")
    return value.astimezone(UTC)


def _day(value: date) -> date:
    return date(value.year, value.month, value.day)


def _number(kind: Number, value: Decimal) -> Decimal:
    try:
        stored = value.quantize(Decimal(1).scaleb(-kind.scale), context=Context(prec=kind.precision))
    except InvalidOperation:
        stored = None
    if stored is None or stored != value:
        raise ValueError(f"takes a decimal of {kind.precision} digits, {kind.scale} of them behind the point")
    return stored or stored.copy_abs()  # no lake keeps the sign of -0


def _list(convert: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    return [convert(value) for value in values]


def _struct(fields: Sequence[tuple[str, Callable[[Any], Any]]], value: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: convert(getattr(value, name)) for name, convert in fields}


SCALARS: Final[dict[type, Callable[[Any], Any]]] = {
    Text: _text, Integer: _integer, Float: float, Boolean: bool, Timestamp: _timestamp, Day: _day, Uuid: str,
}  # fmt: skip
