"""The size of a row as DynamoDB counts it: names and values ("Item sizes and formats")."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from functions.adapters.attributes import attribute
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
from functions.core.store_limits import attribute_bytes, item_bytes
from tests.contracts.everything import FIRST, PIPELINE, SECOND

PLACE = Struct((Field("city", Text(), nullable=False), Field("zip", Integer(), nullable=True)))


@pytest.mark.parametrize(
    ("column_type", "value", "size"),
    [
        (Text(), "", 0),
        (Text(), "zo\u00eb", 4),
        (Boolean(), False, 1),
        (Integer(), None, 1),
        (Timestamp(), datetime(2026, 1, 1, tzinfo=UTC), 27),
        (Day(), date(2026, 1, 1), 10),
        (Float(), 1.2345678901234567e300, len("1.2345678901234567e+300")),  # a table stores it as text
        (Uuid(), "00000000-0000-4000-8000-000000000001", 36),
        (ListOf(Text(), nullable=True), [], 3),
        (ListOf(Text(), nullable=True), ["ab", None], 3 + (1 + 2) + (1 + 1)),
        (PLACE, {"city": "ab", "zip": None}, 3 + 2 + (4 + 2) + (3 + 1)),
    ],
)
def test_the_size_of_an_attribute(column_type: ColumnType, value: object, size: int) -> None:
    assert attribute_bytes(column_type, value) == size


@pytest.mark.parametrize(
    ("column_type", "value"),
    [
        (Integer(), 0), (Integer(), -(2**63)), (Integer(), 2**63 - 1), (Float(), 0.1), (Float(), -5e-129),
        (Float(), 1.7976931348623157e125), (Number(38, 9), Decimal("-" + "9" * 29 + "." + "9" * 9)),
    ],
)  # fmt: skip
def test_a_number_takes_at_least_a_byte_for_two_digits_and_one_more(column_type: ColumnType, value: object) -> None:
    digits = sum(character.isdigit() for character in str(value))
    assert digits // 2 + 1 <= attribute_bytes(column_type, value) <= digits // 2 + 4


@pytest.mark.parametrize("row", [FIRST, SECOND])
def test_the_size_of_an_item_is_that_of_its_names_and_values(row: dict[str, object]) -> None:
    fields = PIPELINE.schema.fields
    alone = {field.name: item_bytes((field,), row) for field in fields}
    assert item_bytes(fields, row) == sum(alone.values())
    texts = {name: value["S"] for name, value in ((name, attribute(row[name])) for name in alone) if "S" in value}
    assert len(texts) >= 4
    assert {name: alone[name] for name in texts} == {
        name: len(name.encode()) + len(text.encode()) for name, text in texts.items()
    }
