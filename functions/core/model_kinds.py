"""The two kinds of models, pydantic's and msgspec's: what the core asks of each. The base class of a model decides.

The schema, the limits, the masks, the canonical columns and the effects are the same code for both kinds.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, get_args, get_origin

from functions.core.dead_letter import Reason
from functions.core.row_json import JsonRows, json_rows

Checked = tuple[Sequence[Any], dict[int, BaseException]]
ColumnCheck = Callable[[Sequence[Any]], Checked]
"""A column of rows -> the validated column, and the error of each value that is not what the row model declares."""


class ModelField(NamedTuple):
    """A field of a model. `alias`: the other name that it has in JSON, None if it has none."""

    name: str
    annotation: Any
    metadata: Sequence[Any]
    alias: str | None


class ModelKind(ABC):
    """How models of one library are read, decoded and checked."""

    label: ClassVar[str]  # for messages
    extras: ClassVar[tuple[str, ...]] = ()  # the extras of Tandem with the library

    @abstractmethod
    def fields(self, model: type) -> tuple[ModelField, ...]:
        """Return the fields of a model, in the order of their declaration."""

    @abstractmethod
    def unstored(self, model: type) -> Iterator[tuple[str, str]]:
        """Yield the name of each part of a row that no sink would see, and what to do instead."""

    @abstractmethod
    def problems(self, model: Any) -> Iterator[str]:  # noqa: ANN401 - what a person declared
        """Yield what keeps the library from validating a model, or any type that an event may have."""

    @abstractmethod
    def json_validator(self, event: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 - any type
        """Return JSON bytes -> event."""

    @abstractmethod
    def plain_validator(self, event: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - any type
        """Return Python values, as a format's library makes them -> event."""

    def rejection(self, error: BaseException, json: bytes | None) -> tuple[Reason, str] | None:  # noqa: ARG002 - of others
        """Return the reason and the detail if the library raised the error; None for any other error.

        `json`: the record's value, if its codec is Json().

        pydantic's own ValidationError is known to `decode`, as codecs raise it for both kinds.
        """
        return None

    def column_checks(self, row: type) -> Mapping[str, ColumnCheck]:  # noqa: ARG002 - of others
        """Return the check of each field, if a row's constructor validates nothing."""
        return {}

    def json_rows(self) -> JsonRows:
        """Return what encodes rows without floats."""
        return json_rows


def is_struct(model: object) -> bool:
    """Return whether a class is derived from msgspec.Struct: only possible after its module has imported msgspec."""
    msgspec = sys.modules.get("msgspec")
    return msgspec is not None and isinstance(model, type) and issubclass(model, msgspec.Struct)


def mentions_struct(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    """Return whether a type is a msgspec.Struct, or a list, union or the like of one."""
    return any(map(is_struct, (annotation, get_origin(annotation)))) or any(map(mentions_struct, get_args(annotation)))


def kind_of(model: Any) -> ModelKind:  # noqa: ANN401 - any type that pydantic or msgspec validates
    """Return the kind of a model, or of a type that consists of models. Imports msgspec's only if it is one."""
    if mentions_struct(model):
        from functions.core.struct_models import STRUCTS  # noqa: PLC0415 - the one module of the core with msgspec

        return STRUCTS
    from functions.core.pydantic_models import PYDANTIC  # noqa: PLC0415 - as the other kind

    return PYDANTIC
