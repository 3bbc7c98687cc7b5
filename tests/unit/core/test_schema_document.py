"""A schema reads back from its document, which JSON can hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.column_types import (
    ColumnType,
    Field,
    ListOf,
    Mask,
    Number,
    Struct,
    Text,
    Uuid,
)
from functions.core.schema import Schema
from functions.core.schema_document import SCALARS, document_of, schema_from
from tests.contracts.everything import PIPELINE


def fields(types: st.SearchStrategy[ColumnType]) -> st.SearchStrategy[tuple[Field, ...]]:
    named = st.lists(st.builds(Field, st.text(), types, st.booleans()), max_size=4, unique_by=lambda field: field.name)
    return named.map(tuple)


DIGITS = st.integers(1, 38).flatmap(lambda precision: st.builds(Number, st.just(precision), st.integers(0, precision)))
TYPES: st.SearchStrategy[ColumnType] = st.recursive(
    st.sampled_from(list(SCALARS.values())) | DIGITS,
    lambda inner: st.builds(ListOf, inner, st.booleans()) | st.builds(Struct, fields(inner)),
    max_leaves=8,
)


@given(fields(TYPES).map(Schema))
def test_any_schema_reads_back_from_its_document(schema: Schema) -> None:
    assert schema_from(json.loads(json.dumps(document_of(schema)))) == schema


def test_every_kind_of_column_has_a_document() -> None:
    assert schema_from(document_of(PIPELINE.schema)) == PIPELINE.schema
    assert {type(scalar) for scalar in SCALARS.values()} | {Number, ListOf, Struct} == set(ColumnType.__args__)


def test_what_was_masked_reads_back_as_any_other_text() -> None:
    masked = Schema((Field("a", ListOf(Text(Mask("person")), nullable=False), nullable=True),))
    assert schema_from(document_of(masked)).fields == (Field("a", ListOf(Text(), nullable=False), nullable=True),)


def test_the_document_is_what_stored_objects_hold() -> None:
    """Objects of earlier releases have these names: a changed one would be unreadable."""
    schema = Schema((
        Field("a", Text(), nullable=True), Field("b", Number(12, 2), nullable=False),
        Field("c", ListOf(Struct((Field("d", Uuid(), nullable=False),)), nullable=True), nullable=False),
    ))  # fmt: skip
    assert document_of(schema) == [
        {"name": "a", "nullable": True, "type": "text"},
        {"name": "b", "nullable": False, "type": "decimal", "precision": 12, "scale": 2},
        {"name": "c", "nullable": False, "type": "list", "item": {
            "nullable": True, "type": "struct", "fields": [{"name": "d", "nullable": False, "type": "uuid"}],
        }},
    ]  # fmt: skip
    assert sorted(SCALARS) == ["boolean", "day", "float", "integer", "text", "timestamp", "uuid"]


@pytest.mark.parametrize(
    "document",
    [
        [{}], [{"name": "a"}], [{"name": "a", "nullable": True}], [{"name": "a", "nullable": True, "type": "colour"}],
        [{"name": "a", "nullable": True, "type": "decimal", "precision": "many", "scale": 0}],
        [{"name": "a", "nullable": True, "type": "list"}], [{"name": "a", "nullable": True, "type": "struct"}],
        [{"name": "a", "nullable": True, "type": ["text"]}], [7], None, ["a"],
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(document: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        schema_from(document)
