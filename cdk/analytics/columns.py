"""What the lake's Parquet files hold -> the columns of the Glue table and of the Redshift table.

Both follow the file's order: Redshift loads Parquet by position (Redshift documentation, "COPY from columnar data
formats"). Both services fold names to lower case.
"""

from typing import Final

from functions.core.kinds import (
    Boolean,
    Day,
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
from functions.core.schema import Schema

Columns = tuple[tuple[str, str], ...]  # name and type

GLUE: Final[dict[type, str]] = {
    Text: "string", Integer: "bigint", Float: "double", Boolean: "boolean", Timestamp: "timestamp", Day: "date",
    Uuid: "string",
}  # fmt: skip
# Times are UTC. Not TIMESTAMPTZ: COPY reads Parquet by way of Spectrum, whose types have none.
# Text has no limit in a model, and a longer one than its column would fail the load of its whole file.
REDSHIFT: Final[dict[type, str]] = {
    Text: "VARCHAR(MAX)", Integer: "BIGINT", Float: "DOUBLE PRECISION", Boolean: "BOOLEAN", Timestamp: "TIMESTAMP",
    Day: "DATE", Uuid: "VARCHAR(36)", ListOf: "SUPER", Struct: "SUPER",
}  # fmt: skip
GLUE_SOURCE: Final[Columns] = (("_partition", "int"), ("_offset", "bigint"), ("_timestamp", "timestamp"))
REDSHIFT_SOURCE: Final[Columns] = (
    ("_partition", "INTEGER NOT NULL"), ("_offset", "BIGINT NOT NULL"), ("_timestamp", "TIMESTAMP NOT NULL"),
)  # fmt: skip


def glue_columns(schema: Schema) -> Columns:
    """In the words of Hive, which Athena reads."""
    return (*((field.name.lower(), _glue(field.kind)) for field in schema.fields), *GLUE_SOURCE)


def redshift_columns(schema: Schema) -> Columns:
    """In the words of CREATE TABLE."""
    own = (
        (field.name.lower(), _redshift(field.kind) + ("" if field.nullable else " NOT NULL"))
        for field in schema.fields
    )  # fmt: skip
    return (*own, *REDSHIFT_SOURCE)


def _glue(kind: Kind) -> str:
    match kind:
        case Number():
            return f"decimal({kind.precision},{kind.scale})"
        case ListOf():
            return f"array<{_glue(kind.item)}>"
        case Struct():
            return f"struct<{','.join(f'{field.name.lower()}:{_glue(field.kind)}' for field in kind.fields)}>"
        case _:
            return GLUE[type(kind)]


def _redshift(kind: Kind) -> str:
    if isinstance(kind, Number):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return REDSHIFT[type(kind)]
