"""Models derived from msgspec.Struct. The only module of the core that imports msgspec: see model_kinds.kind_of.

A Struct's constructor validates nothing. So the columns of rows are validated here, each in one call, as strictly as
events are: what `process` put into a row must have the declared type and keep the declared constraints.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar, Final, get_args, get_origin
from uuid import UUID

import msgspec

from functions.core.dead_letter import Reason
from functions.core.foreign import text_of
from functions.core.model_kinds import Checked, ColumnCheck, ModelField, ModelKind, mentions_struct
from functions.core.row_json import JsonRows

PLACE: Final = re.compile(r"(?P<message>.*?)(?: - at `(?:key in )?\$\.?(?P<place>[^`]*)`)?", re.DOTALL)
QUOTING: Final = re.compile(r"(Invalid (?:enum )?value) .*", re.DOTALL)  # messages that quote the input
MAX_ROW_TYPES: Final = 64  # that are kept; an adopted intent may have other fields than the pipeline's rows
MISSING: Final = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
KEPT_TYPES: Final = (datetime, date, time, timedelta, Decimal, UUID, bytes)  # what `to_builtins` need not convert


class StructModels(ModelKind):
    """See ModelKind."""

    label: ClassVar[str] = "msgspec.Struct"
    extras: ClassVar[tuple[str, ...]] = ("msgspec",)

    def fields(self, model: type) -> tuple[ModelField, ...]:
        """See ModelKind."""
        return tuple(
            ModelField(field.name, field.type, (), None if field.encode_name == field.name else field.encode_name)
            for field in msgspec.structs.fields(model)
        )

    def unstored(self, model: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a Struct
        """See ModelKind."""
        if model.__struct_config__.tag is not None:
            yield model.__struct_config__.tag_field, "no sink would see the tag; make it a field that process sets"

    def problems(self, model: Any) -> Iterator[str]:  # noqa: ANN401 - see ModelKind
        """See ModelKind."""
        try:
            msgspec.json.Decoder(model)
            info = msgspec.inspect.type_info(model)
        except (TypeError, ValueError, NameError) as error:
            yield f"msgspec cannot validate it: {text_of(error)}"
        else:
            for unknown in _custom_types(info, set()):
                yield f"msgspec cannot validate {unknown.__name__}; a msgspec.Struct holds no pydantic types"

    def json_validator(self, event: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 - see ModelKind
        """JSON bytes -> event, or an error that `rejection` knows. Bound method: a wrapper would cost as much again."""
        decode: Callable[[bytes], Any] = msgspec.json.Decoder(event).decode
        return decode

    def plain_validator(self, event: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - see ModelKind
        """Python values -> event, or ValidationError."""
        return partial(msgspec.convert, type=event)

    def rejection(self, error: BaseException, json: bytes | None) -> tuple[Reason, str] | None:
        """See ModelKind. Bytes that are not UTF-8, or nested too deeply, are no JSON.

        msgspec validates while it parses. So a value with a wrong field may be no JSON after it.
        """
        if isinstance(error, msgspec.ValidationError):
            malformed = None if json is None else _malformed(json)
            return (Reason.INVALID, _description(error)) if malformed is None else self.rejection(malformed, None)
        if isinstance(error, msgspec.DecodeError):
            return Reason.UNDECODABLE, f"record: Invalid JSON: {text_of(error).removeprefix('JSON is malformed: ')}"
        if isinstance(error, UnicodeDecodeError):
            return Reason.UNDECODABLE, "record: Invalid JSON: it is not UTF-8"
        if isinstance(error, RecursionError):
            return Reason.UNDECODABLE, "record: Invalid JSON: it has too many levels"
        return None

    def json_rows(self) -> JsonRows:
        """See ModelKind. All rows in one call, a line each: JSON has no line break but the encoder's."""
        return _json_lines

    def column_checks(self, row: type) -> Mapping[str, ColumnCheck]:
        """See ModelKind."""
        return {
            field.name: partial(_checked, field.name, list[field.annotation], _holds_structs(field.annotation))  # type: ignore[name-defined] # made for msgspec
            for field in self.fields(row)
        }


@lru_cache(MAX_ROW_TYPES)
def _row_type(names: tuple[str, ...]) -> Callable[..., Any]:
    """Return a Struct with these fields, which is made from a row's values and encoded faster than a dict."""
    row_type: Callable[..., Any] = msgspec.defstruct("Row", names, gc=False)
    return row_type


def _json_lines(columns: Mapping[str, Sequence[Any]]) -> list[bytes]:
    rows = map(_row_type(tuple(columns)), *columns.values())
    return msgspec.json.Encoder().encode_lines(rows).splitlines()


def _checked(name: str, column_type: Any, holds_structs: bool, column: Sequence[Any]) -> Checked:  # noqa: ANN401, FBT001 - by `partial`
    """Validate a whole column, or if that fails, each of its values."""
    try:
        return _converted(column, column_type, holds_structs=holds_structs), {}
    except BaseException:  # noqa: BLE001, S110 - find out below which value it is; `__post_init__` may raise anything
        pass
    values: list[Any] = []
    errors: dict[int, BaseException] = {}
    for index, value in enumerate(column):
        try:
            values += _converted([value], column_type, holds_structs=holds_structs)
        except msgspec.ValidationError as error:
            values.append(None)
            errors[index] = msgspec.ValidationError(f"{name}: {_without_input(error)}")
        except BaseException as error:  # noqa: BLE001 - see foreign
            values.append(None)
            errors[index] = error
    return values, errors


def _converted(column: Sequence[Any], column_type: Any, *, holds_structs: bool) -> Sequence[Any]:  # noqa: ANN401
    """Return validated values. msgspec takes a nested Struct as it is, so a copy of it is taken apart and validated."""
    if holds_structs:
        msgspec.convert(msgspec.to_builtins(column, builtin_types=KEPT_TYPES), column_type)
        return column
    converted: list[Any] = msgspec.convert(column, column_type)
    return converted


def _holds_structs(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    """Return whether values have a Struct inside, also behind a NewType or a `type` alias."""
    for name in ("__supertype__", "__value__"):
        if hasattr(annotation, name):
            return _holds_structs(getattr(annotation, name))
    if mentions_struct(annotation):
        return True
    return get_origin(annotation) is not None and any(map(_holds_structs, get_args(annotation)))


def _malformed(json: bytes) -> BaseException | None:
    """Return what msgspec raises if the bytes are no JSON at all."""
    try:
        msgspec.json.decode(json)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return error
    return None


def _description(error: BaseException) -> str:
    """Return "field: message", as for pydantic's models."""
    match = PLACE.fullmatch(text_of(error))
    place, message = (match and match["place"]) or "", _without_input(error)
    if missing := MISSING.fullmatch(message):
        place, message = ".".join(filter(None, (place, missing["name"]))), "Field required"
    return f"{place or 'record'}: {message}"


def _without_input(error: BaseException) -> str:
    """Return the message without the place and the value: only the dead letter may hold it, logs must not."""
    text = text_of(error)
    match = PLACE.fullmatch(text)
    return QUOTING.sub(r"\1", match["message"] if match else text)


def _custom_types(info: Any, seen: set[int]) -> Iterator[type]:  # noqa: ANN401 - of msgspec.inspect
    """Yield the types that msgspec would leave to a hook."""
    if id(info) in seen:  # a model that contains itself
        return
    seen.add(id(info))
    if isinstance(info, msgspec.inspect.CustomType):
        yield info.cls
    for name in getattr(info, "__struct_fields__", ()):
        value = getattr(info, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, msgspec.inspect.Type | msgspec.inspect.Field):
                yield from _custom_types(part, seen)


STRUCTS: Final = StructModels()
