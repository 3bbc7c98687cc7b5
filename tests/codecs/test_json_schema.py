"""JSON Schema: Confluent's framing, references, and schemas that lead nowhere."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.codecs.json_schema import JsonSchema
from functions.core.errors import InvalidPipeline
from functions.core.registries import Confluent, Glue, KnownSchemas, SchemaType, WriterSchema
from tests.codecs.framed import UUID_, confluent, detail, evaluated, glue
from tests.unit.core.clicks import click, pipeline

GOOD = click("ada").encode()
LONG = '{"properties": {"user": {"minLength": 3}}}'
REFERRING = '{"properties": {"user": {"$ref": "user.json"}}}'


def known(text: str, *references: tuple[str, str]) -> WriterSchema:
    return WriterSchema(SchemaType.JSON, text, references)


SCHEMAS: KnownSchemas = {
    1: known(LONG),
    2: known(REFERRING, ("user.json", '{"minLength": 4}')),
    3: known(REFERRING),
    4: known('{"$ref": "#"}'),
    5: known("["),
    6: known('{"type": "nonsense"}'),
    7: known('{"$ref": "http://127.0.0.1:1/never"}'),
    8: known('{"$schema": "https://json-schema.org/draft/2020-12/schema", "minProperties": 9}'),
    UUID_: known(LONG),
}


def test_a_value_that_matches_its_schema_is_an_event() -> None:
    values = [confluent(1, GOOD), confluent(2, click("carl").encode())]
    assert evaluated(JsonSchema(Confluent()), *values, schemas=SCHEMAS).rows.columns["user"] == ["ada", "carl"]
    assert evaluated(JsonSchema(Glue()), glue(GOOD), schemas=SCHEMAS).rows.columns["user"] == ["ada"]
    assert evaluated(JsonSchema(schema=LONG), GOOD).rows.columns["user"] == ["ada"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (confluent(1, click("x").encode()), "invalid: user: does not match the keyword 'minLength' of its JSON Schema"),
        (confluent(2, GOOD), "invalid: user: does not match the keyword 'minLength' of its JSON Schema"),
        (confluent(8, GOOD), "invalid: record: does not match the keyword 'minProperties' of its JSON Schema"),
        (confluent(3, GOOD), "undecodable: cannot be checked against its JSON Schema: _WrappedReferencingError"),
        (confluent(7, GOOD), "undecodable: cannot be checked against its JSON Schema: _WrappedReferencingError"),
        (confluent(4, GOOD), "undecodable: cannot be checked against its JSON Schema: RecursionError"),
        (confluent(5, GOOD), "undecodable: no JSON Schema: JSONDecodeError"),
        (confluent(6, GOOD), "undecodable: no JSON Schema: SchemaError: 'nonsense' is not valid"),
        (confluent(1, b"{"), "undecodable: record: Invalid JSON"),
        (confluent(1, b"{}"), "invalid: user: Field required"),
        (GOOD, "undecodable: expected Confluent's framing, got JSON"),
    ],
)
def test_what_does_not_match_is_rejected_without_its_content(value: bytes, expected: str) -> None:
    assert detail(JsonSchema(Confluent()), value, SCHEMAS).startswith(expected)


@pytest.mark.parametrize(
    ("codec", "problem"),
    [
        (JsonSchema(), "codec: JsonSchema: expected a registry or a schema, and not both"),
        (JsonSchema(Confluent(), "{}"), "codec: JsonSchema: expected a registry or a schema, and not both"),
        (JsonSchema(schema="{"), "codec: JsonSchema: schema: no JSON Schema: JSONDecodeError"),
    ],
)
def test_a_wrong_declaration_is_refused(codec: JsonSchema, problem: str) -> None:
    with pytest.raises(InvalidPipeline) as error:
        pipeline(codec=codec)
    assert str(error.value).startswith(f"pipeline 'clicks': {problem}")


jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["user", "at", "type", "properties", "items", "$ref", "minLength", "pattern", "multipleOf", "anyOf", "not"]
    ), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.binary(max_size=100) | jsons.map(lambda value: json.dumps(value).encode()), jsons, st.integers(0, 9))
def test_any_value_and_any_schema_give_a_row_or_a_reject(data: bytes, schema: Any, schema_id: int) -> None:
    schemas = {**SCHEMAS, 9: known(json.dumps(schema))}
    evaluation = evaluated(JsonSchema(Confluent()), confluent(schema_id, data), schemas=schemas, event=Any)
    assert len(evaluation.rows) + len(evaluation.rejections) + evaluation.dropped == 1
