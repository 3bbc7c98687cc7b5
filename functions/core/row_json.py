"""Rows as JSON, one text per row: canonical columns -> bytes.

Both encoders give the same bytes, except for floats from 1e16 on: `1e+16` and `1e16`. So pydantic's encoder is that
of every row with a float, and of all rows of pydantic's models; see struct_models for the other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from functions.core.column_types import ColumnType, Float, ListOf, Struct

JsonRows = Callable[[Mapping[str, Sequence[Any]]], list[bytes]]


def json_rows(columns: Mapping[str, Sequence[Any]]) -> list[bytes]:
    """Encode each row in a call of its own: one call for a list of rows, taken apart again, takes longer."""
    return list(map(to_json, whole_rows(columns)))


def whole_rows(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the rows as dicts."""
    names = tuple(columns)
    # The inner zip need not compare lengths, which takes as long as half of it: a row has a value of each column.
    return [dict(zip(names, row, strict=False)) for row in zip(*columns.values(), strict=True)]


def holds_float(column_type: ColumnType) -> bool:
    """Return whether any value inside a column of this type is a float."""
    match column_type:
        case ListOf():
            return holds_float(column_type.item)
        case Struct():
            return any(holds_float(field.column_type) for field in column_type.fields)
        case _:
            return isinstance(column_type, Float)
