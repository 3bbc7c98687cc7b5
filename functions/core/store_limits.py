"""The limits of the stores that the sinks write to, checked before anything is stored (law 5).

Sizes are computed in integers and exactly as the stores count them, for every row that a cheap bound of its columns
does not clear. The source of DynamoDB's sizes is its developer guide, "Item sizes and formats" and "Quotas".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_json

from functions.core.column_types import (
    Boolean,
    ColumnType,
    Day,
    Field,
    Float,
    ListOf,
    Number,
    Struct,
    Text,
    Timestamp,
    Uuid,
)
from functions.core.keys import MAX_KEY_BYTES, MAX_SORT_KEY_BYTES
from functions.core.pipeline import AnyPipeline

MAX_ITEM_BYTES: Final = 400 * 1024  # of a DynamoDB item
ORDER_BYTES: Final = len("_order") + 62 + len("_expires") + 8  # what a table adds to a row
MAX_GROUP_BYTES: Final = 512
MAX_COUNTS_PER_RECORD: Final = 98  # that fit one transaction
MAX_SUMMAND_DIGITS: Final = 28  # of DynamoDB's 38: ten billion summands stay exact
MIN_NUMBER: Final = 1e-130  # the smallest absolute value of a DynamoDB number other than 0
NUMBER_LIMIT: Final = 1e126  # absolute values are less than this
MAX_TOPIC_ROW_BYTES: Final = 900_000  # Kafka's brokers accept batches of 1 MiB by default
MAX_SCALAR_BYTES: Final = 64  # of any value but text, lists and structs, in a table and as JSON
MAX_JSON_BYTES_PER_CHARACTER: Final = 6  # "\u0000", which is also more than UTF-8 needs

Columns = Mapping[str, Sequence[Any]]


def rows_over_store_limits(pipeline: AnyPipeline, columns: Columns) -> dict[int, str]:
    """Return the problem of each row number that a sink would refuse."""
    problems = (_summands, _long_texts, _rows, _keys)
    return dict(pair for find in problems for pair in find(pipeline, columns))


def is_number(value: float) -> bool:
    """Return whether DynamoDB has this number; a table stores others as text."""
    return value == 0 or MIN_NUMBER <= abs(value) < NUMBER_LIMIT


def item_bytes(fields: Sequence[Field], row: Mapping[str, Any]) -> int:
    """Return the size of a row as a DynamoDB item, in bytes, without the attributes that a table adds."""
    return sum(len(field.name.encode()) + attribute_bytes(field.column_type, row[field.name]) for field in fields)


def attribute_bytes(column_type: ColumnType, value: Any) -> int:  # noqa: ANN401, PLR0911 - one line per column type
    """Return the size of a canonical value as a DynamoDB attribute, in bytes."""
    if value is None:
        return 1
    match column_type:
        case Text():
            return len(value.encode())
        case Timestamp():
            return len("2026-01-01T00:00:00.000000Z")
        case Day():
            return len("2026-01-01")
        case Uuid():
            return 36
        case Boolean():
            return 1
        case ListOf():
            return 3 + sum(1 + attribute_bytes(column_type.item, item) for item in value)
        case Struct():
            return 3 + len(column_type.fields) + item_bytes(column_type.fields, value)
        case Float() if not is_number(value):
            return len(repr(value))
        case _:  # a number: a byte for two digits, and at most two more
            return len(str(value)) // 2 + 2


def _keys(pipeline: AnyPipeline, columns: Columns) -> Iterator[tuple[int, str]]:
    for table in pipeline.tables:
        for name, max_bytes in zip(table.key_fields, (MAX_KEY_BYTES, MAX_SORT_KEY_BYTES), strict=False):
            yield from _texts(columns, name, 1, max_bytes, f"the key of table {table.name!r}")
    for sink in pipeline.counters:
        # A counter's key also holds the sink's name and the other fields, percent-encoded: up to three bytes for one.
        for name in sink.by:
            yield from _texts(columns, name, 0, MAX_GROUP_BYTES // len(sink.by), f"a group of counter {sink.name!r}")


def _texts(columns: Columns, name: str, min_bytes: int, max_bytes: int, description: str) -> Iterator[tuple[int, str]]:
    column = columns[name]
    invalid = {
        text for text in set(column) if isinstance(text, str) and not min_bytes <= len(text.encode()) <= max_bytes
    }
    if invalid:
        problem = f"{name}: expected {min_bytes} to {max_bytes} bytes for {description}"
        yield from ((index, problem) for index, text in enumerate(column) if text in invalid)


def _summands(pipeline: AnyPipeline, columns: Columns) -> Iterator[tuple[int, str]]:
    for sink in pipeline.counters:
        for name in sink.sums:
            column_type = pipeline.schema.column_type(name)
            scale = column_type.scale if isinstance(column_type, Number) else 0
            limit = 10 ** (MAX_SUMMAND_DIGITS - scale)
            problem = f"{name}: expected less than 1e{MAX_SUMMAND_DIGITS - scale} to sum in counter {sink.name!r}"
            yield from (
                (index, problem)
                for index, value in enumerate(columns[name])
                if value is not None and abs(value) >= limit
            )


def _rows(pipeline: AnyPipeline, columns: Columns) -> Iterator[tuple[int, str]]:
    """Measure rows, unless the largest values of all columns together would fit."""
    limits = [MAX_ITEM_BYTES - ORDER_BYTES] * bool(pipeline.tables) + [MAX_TOPIC_ROW_BYTES] * bool(pipeline.topics)
    fields = pipeline.schema.fields
    if not limits or _bound(fields, columns) <= min(limits):
        return
    for index, values in enumerate(zip(*columns.values(), strict=True)):
        row = dict(zip(columns, values, strict=True))
        if pipeline.tables and (size := item_bytes(fields, row)) > MAX_ITEM_BYTES - ORDER_BYTES:
            yield index, f"expected a row of at most {MAX_ITEM_BYTES - ORDER_BYTES} bytes in a table, got {size}"
        elif pipeline.topics and (size := len(to_json(row)) + _topic_key_bytes(pipeline, row)) > MAX_TOPIC_ROW_BYTES:
            yield index, f"expected a row and its key of at most {MAX_TOPIC_ROW_BYTES} bytes as JSON, got {size}"


def _topic_key_bytes(pipeline: AnyPipeline, row: Mapping[str, Any]) -> int:
    return max(len(str(row[sink.key]).encode()) for sink in pipeline.topics)


def _bound(fields: Sequence[Field], columns: Columns) -> int:
    """Return a size that no row exceeds, in a table or as JSON with its key."""
    names = sum(len(field.name.encode()) + len('"":,') for field in fields)
    bounds = [_column_bound(field.column_type, columns[field.name]) for field in fields]
    return names + sum(bounds) + max(bounds, default=0)


def _column_bound(column_type: ColumnType, column: Sequence[Any]) -> int:
    match column_type:
        case Text():
            return MAX_JSON_BYTES_PER_CHARACTER * max(map(len, filter(None, column)), default=0) + MAX_SCALAR_BYTES
        case ListOf():
            items = [item for value in column for item in value or ()]
            longest = max(map(len, filter(None, column)), default=0)
            return MAX_SCALAR_BYTES + longest * (_column_bound(column_type.item, items) + 1)
        case Struct():
            present = [value for value in column if value is not None]
            nested = {field.name: [value[field.name] for value in present] for field in column_type.fields}
            return MAX_SCALAR_BYTES + _bound(column_type.fields, nested)
        case _:
            return MAX_SCALAR_BYTES


def _long_texts(pipeline: AnyPipeline, columns: Columns) -> Iterator[tuple[int, str]]:
    """Find texts beyond `limits.max_text_bytes`, wherever they are: a warehouse would refuse their whole file."""
    max_bytes = pipeline.limits.max_text_bytes
    if max_bytes is None:
        return
    for field in pipeline.schema.fields:
        for index, value in enumerate(columns[field.name]):
            if (size := _longest_text(field.column_type, value)) > max_bytes:
                yield index, f"{field.name}: expected text of at most {max_bytes} bytes, got {size}"


def _longest_text(column_type: ColumnType, value: Any) -> int:  # noqa: ANN401 - any canonical value
    match column_type:
        case Text() if value is not None:
            return len(value) if value.isascii() else len(value.encode())
        case ListOf() if value:
            return max(_longest_text(column_type.item, item) for item in value)
        case Struct() if value is not None:
            return max(_longest_text(field.column_type, value[field.name]) for field in column_type.fields)
        case _:
            return 0
