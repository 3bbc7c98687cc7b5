"""Row model -> schema: which kind of storage each field is. A type that no sink can hold is refused by name."""

import types
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, FutureDate, FutureDatetime, PastDate, PastDatetime
from pydantic.fields import FieldInfo

from functions.core.canonical import canonical
from functions.core.errors import InvalidPipeline
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

TAKES: Final = (
    "a row holds str, int, float, bool, datetime, date, Decimal, UUID, enums and literals of str or int, lists and "
    "nested models, each optionally None"
)
PRECISION, SCALE = 38, 9  # of a Decimal without max_digits and decimal_places
MOST_DIGITS: Final = 38  # of Parquet's, Athena's and Redshift's decimals alike
SCALARS: Final[dict[type, Kind]] = {
    str: Text(), bool: Boolean(), int: Integer(), float: Float(), datetime: Timestamp(), date: Day(), UUID: Uuid(),
    AwareDatetime: Timestamp(), PastDatetime: Timestamp(), FutureDatetime: Timestamp(),
    PastDate: Day(), FutureDate: Day(),
}  # fmt: skip


@dataclass(frozen=True)
class Schema:
    """The fields of a row model, in their order."""

    fields: tuple[Field, ...]

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        return {field.name: field.kind for field in self.fields}

    def kind(self, name: str) -> Kind:
        """The kind of a field; KeyError if there is none of that name."""
        return self._kinds[name]

    def columns(self, rows: Sequence[BaseModel]) -> tuple[dict[str, list[Any]], dict[int, str]]:
        """Model instances -> canonical columns, and why for each row number that cannot be stored."""
        taken: dict[str, list[Any]] = {}
        problems: dict[int, str] = {}
        for field, column in zip(self.fields, self._transposed(rows), strict=True):
            taken[field.name], wrong = canonical(field, column)
            problems |= wrong
        return taken, problems

    def _transposed(self, rows: Sequence[BaseModel]) -> list[Sequence[Any]]:
        names = [field.name for field in self.fields]
        if not rows or len(names) == 1:  # attrgetter gives no tuple for a single name
            return [[getattr(row, name, None) for row in rows] for name in names]
        try:
            return list(zip(*map(attrgetter(*names), rows), strict=True))
        except AttributeError:  # model_construct lets a row be without a field
            return [[getattr(row, name, None) for row in rows] for name in names]


def schema_of(model: type[BaseModel]) -> Schema:
    """The schema of a row model; InvalidPipeline names the field that cannot be stored."""
    return Schema(_fields(model, model.__name__, ()))


def _fields(model: type[BaseModel], path: str, above: tuple[type, ...]) -> tuple[Field, ...]:
    if not model.model_fields:
        raise InvalidPipeline(f"{path}: has no fields, so there is nothing to store")
    if model in above:
        raise InvalidPipeline(f"{path}: {model.__name__} holds itself; {TAKES}")
    return tuple(_field(name, info, f"{path}.{name}", (*above, model)) for name, info in model.model_fields.items())


def _field(name: str, info: FieldInfo, path: str, above: tuple[type, ...]) -> Field:
    if name.startswith("_"):
        raise InvalidPipeline(f"{path}: names that begin with _ are the lake's own")
    kind, nullable = _kind(info.annotation, info.metadata, path, above)
    return Field(name, kind, nullable)


def _kind(annotation: Any, marks: Sequence[Any], path: str, above: tuple[type, ...]) -> tuple[Kind, bool]:  # noqa: ANN401
    """The kind of an annotation, and whether None is one of its values."""
    annotation, marks = _unwrapped(annotation, marks)
    origin, options = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        present = [option for option in options if option is not type(None)]
        if len(present) == 1:
            return _kind(present[0], marks, path, above)[0], len(present) < len(options)
    elif origin is list or (origin is tuple and options[1:] == (...,)):
        item, nullable = _kind(options[0], (), f"{path}[]", above)
        return ListOf(item, nullable), False
    elif origin is Literal:
        return _values(options, annotation, path)
    elif isinstance(annotation, type):
        return _class(annotation, marks, path, above), False
    raise _refused(annotation, path)


def _unwrapped(annotation: Any, marks: Sequence[Any]) -> tuple[Any, Sequence[Any]]:  # noqa: ANN401
    """Without Annotated, NewType and `type` aliases around it."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            marks = (*marks, *more)
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        else:
            return annotation, marks


def _class(annotation: type, marks: Sequence[Any], path: str, above: tuple[type, ...]) -> Kind:
    if issubclass(annotation, BaseModel):
        return Struct(_fields(annotation, path, above))
    if issubclass(annotation, Enum):
        return _enum(annotation, path)
    if issubclass(annotation, Decimal):
        return _number(marks, path)
    if annotation in SCALARS:
        return SCALARS[annotation]
    raise _refused(annotation, path)


def _enum(annotation: type[Enum], path: str) -> Kind:
    kind, nullable = _values(list(annotation), annotation, path)
    if nullable:  # its None would be a member to the model and no value to a sink
        raise _refused(annotation, path)
    return kind


def _values(values: Sequence[object], annotation: object, path: str) -> tuple[Kind, bool]:
    """The kind that holds all values of an enum or literal."""
    found = {type(value.value if isinstance(value, Enum) else value) for value in values}
    for plain, kind in ((str, Text()), (int, Integer())):
        if found - {type(None)} == {plain}:
            return kind, type(None) in found
    raise _refused(annotation, path)


def _number(marks: Sequence[Any], path: str) -> Number:
    constraints = {name: value for mark in marks for name, value in _limits(mark).items() if value is not None}
    precision, scale = constraints.get("max_digits", PRECISION), constraints.get("decimal_places", SCALE)
    if scale > precision and "decimal_places" not in constraints:
        raise InvalidPipeline(f"{path}: takes decimal_places too where max_digits is below {SCALE}, got {precision}")
    if not 0 <= scale <= precision <= MOST_DIGITS or precision == 0:
        raise InvalidPipeline(
            f"{path}: takes a Decimal of at most {MOST_DIGITS} digits, got {precision} with {scale} decimals"
        )
    return Number(precision, scale)


def _limits(mark: object) -> dict[str, Any]:
    marks = [mark, *getattr(mark, "metadata", ())]
    return {
        name: getattr(each, name) for each in marks for name in ("max_digits", "decimal_places") if hasattr(each, name)
    }


def _refused(annotation: object, path: str) -> InvalidPipeline:
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
    return InvalidPipeline(f"{path}: cannot store {name}; {TAKES}")
