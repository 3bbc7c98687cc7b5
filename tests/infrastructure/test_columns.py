"""The lake's files, Glue's columns and Redshift's agree in names, order and types, for every kind of value."""

from io import BytesIO
from typing import Any

import pytest
from arro3.core import DataType, Field
from arro3.io import read_parquet

from cdk.analytics.columns import glue_columns, redshift_columns
from functions.adapters.parquet import encode
from functions.core.pipeline import AnyPipeline
from functions.core.rows import Rows
from functions.pipelines import logins
from tests.contracts import everything
from tests.intents import intent_with

FILES: dict[str, tuple[AnyPipeline, list[dict[str, Any]]]] = {
    "logins": (logins.PIPELINE, [
        {"user_id": "a", "version_major": 1, "version_minor": 2, "version_patch": 3, "device_type": "ios", "ip": "x",
         "locale": "DE", "device_id": "y", "logged_in_at": everything.NOW},
    ]),
    "everything": (everything.PIPELINE, [everything.FIRST, everything.SECOND]),
}  # fmt: skip
# What Athena documentation ("Data types") and Redshift documentation ("COPY from columnar data formats") read so.
SCALARS = [
    (DataType.is_string, "string", {"VARCHAR(MAX)", "VARCHAR(36)"}),
    (DataType.is_int64, "bigint", {"BIGINT"}),
    (DataType.is_int32, "int", {"INTEGER"}),
    (DataType.is_float64, "double", {"DOUBLE PRECISION"}),
    (DataType.is_boolean, "boolean", {"BOOLEAN"}),
    (DataType.is_date32, "date", {"DATE"}),
    (DataType.is_timestamp, "timestamp", {"TIMESTAMP"}),
]


@pytest.fixture(params=[False, True], ids=["rows", "history"])
def history(request: pytest.FixtureRequest) -> bool:
    """Whether the file shows deletes as rows."""
    return bool(request.param)


@pytest.fixture(params=list(FILES))
def file(request: pytest.FixtureRequest, *, history: bool) -> tuple[AnyPipeline, list[Field]]:
    """A pipeline, and the columns of a file of its rows, read back."""
    pipeline, values = FILES[request.param]
    rows = Rows(
        offsets=range(len(values)), numbers=[0] * len(values), timestamps=[0] * len(values),
        columns={name: [value[name] for value in values] for name in pipeline.row.model_fields},
    )  # fmt: skip
    schema = read_parquet(BytesIO(encode(intent_with(pipeline.schema, rows, history=history), 3))).read_all().schema
    return pipeline, [schema.field(name) for name in schema.names]


def test_glue_has_the_columns_of_the_file(file: tuple[AnyPipeline, list[Field]], *, history: bool) -> None:
    pipeline, columns = file
    assert glue_columns(pipeline.schema, history=history) == tuple(
        (column.name, hive(column.type)) for column in columns
    )


def test_redshift_has_the_columns_of_the_file_in_its_order(
    file: tuple[AnyPipeline, list[Field]], *, history: bool
) -> None:
    pipeline, columns = file
    declared = redshift_columns(pipeline.schema, history=history)
    assert [name for name, _ in declared] == [column.name for column in columns]
    for (_, kind), column in zip(declared, columns, strict=True):
        assert kind.removesuffix(" NOT NULL") in loads_into(column.type)
        assert kind.endswith(" NOT NULL") is not column.nullable


def hive(kind: DataType) -> str:
    """Hive's type for Arrow's, derived from the file alone."""
    if DataType.is_decimal128(kind):
        return decimal(kind)
    if DataType.is_list(kind):
        return f"array<{hive(item(kind))}>"
    if DataType.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{hive(field.type)}' for field in kind.fields)}>"
    return next(glue for is_it, glue, _ in SCALARS if is_it(kind))


def loads_into(kind: DataType) -> set[str]:
    """The Redshift columns that accept Arrow's type."""
    if DataType.is_decimal128(kind):
        return {decimal(kind).upper()}
    if DataType.is_nested(kind):
        return {"SUPER"}
    return next(redshift for is_it, _, redshift in SCALARS if is_it(kind))


def decimal(kind: DataType) -> str:
    """Such as decimal(12,2), from Decimal128(12, 2): arro3 gives precision and scale only as text."""
    return "decimal" + str(kind).split("Decimal128")[1].strip(" >\n").replace(" ", "")


def item(kind: DataType) -> DataType:
    """The type of a list's items."""
    assert kind.value_type is not None
    return kind.value_type
