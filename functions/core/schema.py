"""Row model -> schema: the column type of each field. A type that no sink can hold is refused by name."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, FutureDate, FutureDatetime, PastDate, PastDatetime

from functions.core.column_types import (
    Boolean,
    ColumnType,
    Day,
    Field,
    Float,
    Integer,
    ListOf,
    Mask,
    Number,
    Struct,
    Text,
    Timestamp,
    Uuid,
)
from functions.core.errors import InvalidPipeline
from functions.core.model_kinds import ColumnCheck, ModelField, is_struct, kind_of
from functions.core.normalize import normalize

SUPPORTED_TYPES: Final = (
    "a row holds str, int, float, bool, datetime, date, Decimal, UUID, enums and literals of str or int, lists and "
    "nested models, each optionally None"
)
DEFAULT_PRECISION, DEFAULT_SCALE = 38, 9  # of a Decimal without max_digits and decimal_places
PARTITION_FIELD: Final = "day"  # of the lake's folders
MAX_DIGITS: Final = 38  # the limit of decimals in Parquet, Athena and Redshift
SCALARS: Final[dict[type, ColumnType]] = {
    str: Text(), bool: Boolean(), int: Integer(), float: Float(), datetime: Timestamp(), date: Day(), UUID: Uuid(),
    AwareDatetime: Timestamp(), PastDatetime: Timestamp(), FutureDatetime: Timestamp(),
    PastDate: Day(), FutureDate: Day(),
}  # fmt: skip


@dataclass(frozen=True)
class Schema:
    """The fields of a row model, in the order of their declaration."""

    fields: tuple[Field, ...]

    @cached_property
    def _column_types(self) -> dict[str, ColumnType]:
        return {field.name: field.column_type for field in self.fields}

    def column_type(self, name: str) -> ColumnType:
        """Return the column type of a field; KeyError if there is no such field."""
        return self._column_types[name]

    def columns(
        self, models: Sequence[Any], checks: Mapping[str, ColumnCheck] = MappingProxyType({})
    ) -> tuple[dict[str, list[Any]], dict[int, str | BaseException]]:
        """Convert model instances to canonical columns. `checks`: see ModelKind.column_checks.

        Also returns, for each row that cannot be stored, its problem, or the error that reading it raised.
        """
        columns: dict[str, list[Any]] = {}
        transposed, unreadable = self._transposed(models)
        problems: dict[int, str | BaseException] = {}
        for field, column in zip(self.fields, transposed, strict=True):
            check = checks.get(field.name)
            values, invalid = check(column) if check else (column, {})
            columns[field.name], field_problems = normalize(field, values)
            problems |= field_problems | invalid
        return columns, problems | unreadable

    def _transposed(self, models: Sequence[Any]) -> tuple[list[Sequence[Any]], dict[int, BaseException]]:
        names = [field.name for field in self.fields]
        if models and len(names) > 1:  # attrgetter returns no tuple for a single name
            read = attrgetter(*names)
            try:
                # A comprehension, because `map` would end at a StopIteration that an attribute raises.
                return list(zip(*[read(model) for model in models], strict=True)), {}
            except BaseException:  # noqa: BLE001, S110 - an attribute may raise anything: find out below which one does
                pass
        unreadable: dict[int, BaseException] = {}
        columns: list[Sequence[Any]] = [
            [_read(model, name, index, unreadable) for index, model in enumerate(models)] for name in names
        ]
        return columns, unreadable


def _read(model: object, name: str, index: int, unreadable: dict[int, BaseException]) -> Any:  # noqa: ANN401
    """Return an attribute; None if it is missing, as model_construct allows, or if reading it raises."""
    try:
        return getattr(model, name, None)
    except BaseException as error:  # noqa: BLE001 - see foreign
        unreadable[index] = error
        return None


def is_model(python_type: type) -> bool:
    """Return whether a class is a model of either kind."""
    return issubclass(python_type, BaseModel) or is_struct(python_type)


def schema_of(model: type) -> Schema:
    """Return the schema of a row model; InvalidPipeline names the field that cannot be stored."""
    return Schema(_fields(model, model.__name__, ()))


def _fields(model: type, path: str, parents: tuple[type, ...]) -> tuple[Field, ...]:
    kind = kind_of(model)
    fields = kind.fields(model)
    if not fields:
        raise InvalidPipeline(f"{path}: expected at least one field to store")
    if model in parents:
        raise InvalidPipeline(f"{path}: {model.__name__} contains itself; {SUPPORTED_TYPES}")
    if parents and kind_of(parents[-1]) is not kind:
        raise InvalidPipeline(f"{path}: a {kind_of(parents[-1]).label} cannot hold a {kind.label}")
    _check_names([field.name for field in fields], path, is_row=not parents)
    for name, problem in kind.unstored(model):
        raise InvalidPipeline(f"{path}.{name}: {problem}")
    return tuple(_field(field, f"{path}.{field.name}", (*parents, model)) for field in fields)


def _check_names(names: Sequence[str], path: str, *, is_row: bool) -> None:
    """Refuse names that Athena, Spark and DuckDB, which ignore case, do not distinguish."""
    seen = {PARTITION_FIELD: "the lake's partition"} if is_row else {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise InvalidPipeline(f"{path}.{name}: expected another name than {other!r}: query engines ignore case")


def _field(field: ModelField, path: str, parents: tuple[type, ...]) -> Field:
    if field.alias:
        raise InvalidPipeline(f"{path}: no sink would see the alias {field.alias!r}; sinks use the field's name")
    if field.name.startswith("_"):
        raise InvalidPipeline(f"{path}: names that start with _ are reserved for the lake")
    column_type, nullable = _column_type(field.annotation, field.metadata, path, parents)
    return Field(field.name, column_type, nullable)


def _column_type(
    annotation: Any,  # noqa: ANN401 - any annotation
    metadata: Sequence[Any],
    path: str,
    parents: tuple[type, ...],
) -> tuple[ColumnType, bool]:
    """Return the column type of an annotation, and whether None is one of its values."""
    annotation, metadata = _unwrapped(annotation, metadata)
    column_type, nullable = _plain_type(annotation, metadata, path, parents)
    for mark in metadata:
        if mark is Mask or any(isinstance(inner, Mask) for inner in getattr(mark, "__metadata__", ())):
            raise InvalidPipeline(
                f"{path}: expected Masked or Annotated[str, Mask()], got Annotated[..., {_name(mark)}]"
            )
        if isinstance(mark, Mask):
            if not isinstance(column_type, Text):
                raise InvalidPipeline(f"{path}: Masked needs a str, got {_name(annotation)}")
            column_type = Text(mark)
    return column_type, nullable


def _plain_type(
    annotation: Any,  # noqa: ANN401 - any annotation
    metadata: Sequence[Any],
    path: str,
    parents: tuple[type, ...],
) -> tuple[ColumnType, bool]:
    """Return the column type of an annotation without marks, and whether None is one of its values."""
    origin, options = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        present = [option for option in options if option is not type(None)]
        if len(present) == 1:
            column_type, nullable = _column_type(present[0], metadata, path, parents)
            return column_type, nullable or len(present) < len(options)
    elif origin is list or (origin is tuple and options[1:] == (...,)):
        item, nullable = _column_type(options[0], (), f"{path}[]", parents)
        return ListOf(item, nullable), False
    elif origin is Literal:
        return _value_type(options, annotation, path)
    elif isinstance(annotation, type):
        return _class_type(annotation, metadata, path, parents), False
    raise _unsupported(annotation, path)


def _unwrapped(annotation: Any, metadata: Sequence[Any]) -> tuple[Any, Sequence[Any]]:  # noqa: ANN401
    """Remove Annotated, NewType and `type` aliases; return the annotation and all metadata."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata = (*metadata, *more)
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        else:
            return annotation, metadata


def _class_type(python_type: type, metadata: Sequence[Any], path: str, parents: tuple[type, ...]) -> ColumnType:
    if is_model(python_type):
        return Struct(_fields(python_type, path, parents))
    if issubclass(python_type, Enum):
        return _enum_type(python_type, path)
    if issubclass(python_type, Decimal):
        return _decimal_type(metadata, path)
    if python_type in SCALARS:
        return SCALARS[python_type]
    raise _unsupported(python_type, path)


def _enum_type(enum: type[Enum], path: str) -> ColumnType:
    column_type, nullable = _value_type(list(enum), enum, path)
    if nullable:  # None would be a member in the model, but a missing value in a sink
        raise _unsupported(enum, path)
    return column_type


def _value_type(values: Sequence[object], annotation: object, path: str) -> tuple[ColumnType, bool]:
    """Return the column type that holds all values of an enum or literal, and whether None is one of them."""
    value_types = {type(value.value if isinstance(value, Enum) else value) for value in values}
    for python_type, column_type in ((str, Text()), (int, Integer())):
        if value_types - {type(None)} == {python_type}:
            return column_type, type(None) in value_types
    raise _unsupported(annotation, path)


def _decimal_type(metadata: Sequence[Any], path: str) -> Number:
    constraints = {name: value for item in metadata for name, value in _digit_limits(item).items() if value is not None}
    precision, scale = (
        constraints.get("max_digits", DEFAULT_PRECISION),
        constraints.get("decimal_places", DEFAULT_SCALE),
    )
    if scale > precision and "decimal_places" not in constraints:
        raise InvalidPipeline(
            f"{path}: expected decimal_places too, because max_digits is below {DEFAULT_SCALE}, got {precision}"
        )
    if not 0 <= scale <= precision <= MAX_DIGITS or precision == 0:
        raise InvalidPipeline(
            f"{path}: expected a Decimal of at most {MAX_DIGITS} digits, got {precision} with {scale} decimals"
        )
    return Number(precision, scale)


def _digit_limits(constraint: object) -> dict[str, Any]:
    constraints = [constraint, *getattr(constraint, "metadata", ())]
    names = ("max_digits", "decimal_places")
    return {name: getattr(item, name) for item in constraints for name in names if hasattr(item, name)}


def _unsupported(annotation: object, path: str) -> InvalidPipeline:
    return InvalidPipeline(f"{path}: cannot store {_name(annotation)}; {SUPPORTED_TYPES}")


def _name(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
