"""The columns of a pipeline's Glue table and Redshift table, derived from the schema of its Parquet files.

Both have the file's order, because Redshift loads Parquet by position (Redshift documentation, "COPY from columnar data
formats"). Both services fold names to lower case.
"""

from typing import Final

from functions.core.column_types import (
    Boolean,
    ColumnType,
    Day,
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

Columns = tuple[tuple[str, str], ...]  # name and type

GLUE: Final[dict[type, str]] = {
    Text: "string", Integer: "bigint", Float: "double", Boolean: "boolean", Timestamp: "timestamp", Day: "date",
    Uuid: "string",
}  # fmt: skip
# Times are UTC. Not TIMESTAMPTZ: COPY reads Parquet through Spectrum, which does not support it.
# VARCHAR(MAX), because a model does not limit text, and a text longer than its column fails the load of the whole file.
REDSHIFT: Final[dict[type, str]] = {
    Text: "VARCHAR(MAX)", Integer: "BIGINT", Float: "DOUBLE PRECISION", Boolean: "BOOLEAN", Timestamp: "TIMESTAMP",
    Day: "DATE", Uuid: "VARCHAR(36)", ListOf: "SUPER", Struct: "SUPER",
}  # fmt: skip
GLUE_SOURCE: Final[Columns] = (
    ("_partition", "int"), ("_offset", "bigint"), ("_timestamp", "timestamp"), ("_timestamp_ms", "bigint"),
    ("_row", "int"),
)  # fmt: skip
REDSHIFT_SOURCE: Final[Columns] = (
    ("_partition", "INTEGER NOT NULL"), ("_offset", "BIGINT NOT NULL"), ("_timestamp", "TIMESTAMP NOT NULL"),
    ("_timestamp_ms", "BIGINT NOT NULL"),
    ("_row", "INTEGER NOT NULL"),
)  # fmt: skip


def glue_columns(schema: Schema, *, history: bool = False) -> Columns:
    """Names and Hive types of the Glue table's columns, which Athena reads. `history`: deletes are rows, too."""
    own = ((field.name.lower(), _glue(field.column_type)) for field in schema.fields)
    return (*own, *GLUE_SOURCE, *([("_deleted", "boolean")] if history else []))


def redshift_columns(schema: Schema, *, history: bool = False) -> Columns:
    """Names and SQL types of the Redshift table's columns. `history`: deletes are rows, too, with nulls."""
    own = (
        (field.name.lower(), _redshift(field.column_type) + ("" if field.nullable or history else " NOT NULL"))
        for field in schema.fields
    )  # fmt: skip
    return (*own, *REDSHIFT_SOURCE, *([("_deleted", "BOOLEAN NOT NULL")] if history else []))


def _glue(column_type: ColumnType) -> str:
    match column_type:
        case Number():
            return f"decimal({column_type.precision},{column_type.scale})"
        case ListOf():
            return f"array<{_glue(column_type.item)}>"
        case Struct():
            fields = (f"{field.name.lower()}:{_glue(field.column_type)}" for field in column_type.fields)
            return f"struct<{','.join(fields)}>"
        case _:
            return GLUE[type(column_type)]


def _redshift(column_type: ColumnType) -> str:
    if isinstance(column_type, Number):
        return f"DECIMAL({column_type.precision},{column_type.scale})"
    return REDSHIFT[type(column_type)]
