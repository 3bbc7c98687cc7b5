"""A schema as JSON-compatible data, with which a lake object describes its own columns to later releases."""

from collections.abc import Mapping, Sequence
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
from functions.core.schema import Schema

SCALARS: Final[dict[str, ColumnType]] = {
    "text": Text(), "integer": Integer(), "float": Float(), "boolean": Boolean(), "timestamp": Timestamp(),
    "day": Day(), "uuid": Uuid(),
}  # fmt: skip
NAMES: Final = {column_type: name for name, column_type in SCALARS.items()}


def document_of(schema: Schema) -> list[dict[str, Any]]:
    """Return the fields of a schema as dicts of strings, numbers, booleans, lists and dicts."""
    return [_field_document(field) for field in schema.fields]


def schema_from(document: Sequence[Mapping[str, Any]]) -> Schema:
    """Return the schema of a document; KeyError, TypeError or ValueError if it is none."""
    return Schema(tuple(map(_field, document)))


def _field_document(field: Field) -> dict[str, Any]:
    return {"name": field.name, "nullable": field.nullable, **_type_document(field.column_type)}


def _type_document(column_type: ColumnType) -> dict[str, Any]:
    match column_type:
        case Number(precision, scale):
            return {"type": "decimal", "precision": precision, "scale": scale}
        case ListOf(item, nullable):
            return {"type": "list", "item": {"nullable": nullable, **_type_document(item)}}
        case Struct(fields):
            return {"type": "struct", "fields": list(map(_field_document, fields))}
        case Text():
            return {"type": "text"}  # what was masked is stored as any other text
        case _:
            return {"type": NAMES[column_type]}


def _field(document: Mapping[str, Any]) -> Field:
    return Field(str(document["name"]), _column_type(document), bool(document["nullable"]))


def _column_type(document: Mapping[str, Any]) -> ColumnType:
    match document["type"]:
        case "decimal":
            return Number(int(document["precision"]), int(document["scale"]))
        case "list":
            return ListOf(_column_type(document["item"]), bool(document["item"]["nullable"]))
        case "struct":
            return Struct(tuple(map(_field, document["fields"])))
        case name:
            return SCALARS[name]
