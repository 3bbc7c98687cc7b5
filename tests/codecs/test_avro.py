"""Avro: bytes of fastavro's encoder in the registries' framings, evolution, and schemas that are bombs."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from functions.codecs.avro import Avro
from functions.core.compression import Gzip
from functions.core.errors import InvalidPipeline
from functions.core.registries import Confluent, Glue, KnownSchemas, SchemaType, WriterSchema
from tests.codecs.framed import UUID_, avro, confluent, detail, evaluated, glue, text
from tests.unit.core.clicks import pipeline

OLD: dict[str, Any] = {
    "type": "record", "name": "Click", "namespace": "shop",
    "fields": [{"name": "user", "type": "string"}, {"name": "at", "type": "long"}],
}  # fmt: skip
NEW: dict[str, Any] = OLD | {
    "fields": [{"name": "page", "type": ["null", "string"]}, {"name": "more", "type": "bytes"}, *OLD["fields"]]
}
SCHEMAS: KnownSchemas = {
    1: WriterSchema(SchemaType.AVRO, text(OLD)),
    2: WriterSchema(SchemaType.AVRO, text(NEW)),
    3: WriterSchema(SchemaType.AVRO, "{"),
    4: WriterSchema(SchemaType.PROTOBUF, ""),
    UUID_: WriterSchema(SchemaType.AVRO, text(OLD)),
}
ADA, BOB = {"user": "ada", "at": 60}, {"page": "p", "more": b"\xff", "user": "bob", "at": 61}


def test_old_and_new_records_of_one_slice_both_decode() -> None:
    values = [confluent(1, avro(OLD, ADA)), confluent(2, avro(NEW, BOB)), confluent(1, avro(OLD, ADA))]
    evaluation = evaluated(Avro(Confluent()), *values, schemas=SCHEMAS)
    assert evaluation.rows.columns["user"] == ["ada", "bob", "ada"]
    assert evaluation.rows.columns["page"] == [None, "p", None]


@pytest.mark.parametrize("compressed", [False, True])
def test_glues_framing_around_avro(compressed: bool) -> None:  # noqa: FBT001
    value = glue(avro(OLD, ADA), compressed=compressed)
    assert evaluated(Avro(Glue()), value, schemas=SCHEMAS).rows.columns["user"] == ["ada"]


def test_a_declared_schema_reads_bare_values_and_names_old_fields() -> None:
    assert evaluated(Avro(schema=text(OLD)), avro(OLD, ADA)).rows.columns["user"] == ["ada"]
    reader = OLD | {
        "fields": [
            {"name": "user", "type": "string"},
            {"name": "at", "type": "long"},
            {"name": "page", "type": "string", "default": "d", "aliases": ["old"]},
        ]
    }
    codec = Avro(Confluent(), schema=text(reader))
    assert evaluated(codec, confluent(1, avro(OLD, ADA)), schemas=SCHEMAS).rows.columns["page"] == ["d"]


def test_a_schema_is_parsed_with_its_references() -> None:
    money = {"type": "record", "name": "shop.Page", "fields": [{"name": "page", "type": "string"}]}
    schema = OLD | {"fields": [*OLD["fields"], {"name": "inner", "type": "shop.Page"}]}
    known = WriterSchema(SchemaType.AVRO, text(schema), (("shop.Page", text(money)),))
    value = avro(OLD, ADA) + b"\x02x"
    assert evaluated(Avro(Confluent()), confluent(9, value), schemas={9: known}).rows.columns["user"] == ["ada"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"{}", "undecodable: expected Confluent's framing, got JSON"),
        (confluent(3, b"x"), "undecodable: the registered schema is no Avro schema: JSONDecodeError"),
        (confluent(4, b"x"), "undecodable: schema 4 is PROTOBUF, but the codec is for AVRO"),
        (confluent(5, b"x"), "undecodable: unknown schema 5 (confluent)"),
        (confluent(1, avro(OLD, ADA)[:-1]), "undecodable: not a value of the Avro schema"),
        (confluent(1, avro(OLD, ADA) + b"x"), "undecodable: not a value of the Avro schema: 1 bytes follow"),
        (confluent(2, avro(OLD, ADA)), "undecodable: not a value of the Avro schema"),
    ],
)
def test_what_is_not_a_value_of_its_schema_is_rejected(value: bytes, expected: str) -> None:
    assert detail(Avro(Confluent()), value, SCHEMAS).startswith(expected)


def test_a_value_that_is_not_the_event_is_invalid() -> None:
    schema = {"type": "record", "name": "x", "fields": [{"name": "user", "type": "string"}]}
    assert detail(Avro(schema=text(schema)), avro(schema, {"user": "u"})) == "invalid: at: Field required"


def test_bare_values_have_a_hint() -> None:
    assert detail(Avro(schema=text(OLD)), confluent(1, b"\xff" * 9)).endswith(
        "; it looks like Confluent framing, schema ID 1, but the codec is Avro"
    )


def test_logical_types_arrive_as_python_values() -> None:
    class Typed(BaseModel):
        when: datetime
        money: Decimal
        id: UUID

    schema = {
        "type": "record", "name": "t", "fields": [
            {"name": "when", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "money", "type": {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}},
            {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        ],
    }  # fmt: skip
    row = {"when": datetime(2026, 1, 1, tzinfo=UTC), "money": Decimal("12345678901234567890.12"), "id": UUID_}
    seen: list[Typed] = []
    evaluation = evaluated(Avro(schema=text(schema)), avro(schema, row), event=Typed, process=seen.append)
    assert not evaluation.rejections
    assert seen == [Typed(**row)]


def dropped(event: Any) -> None:
    """Drop any event."""


NULLS = {"type": "array", "items": "null"}
EMPTY = {"type": "array", "items": {"type": "record", "name": "e", "fields": []}}
WIDE = {
    "type": "array",
    "items": {
        "type": "record", "name": "w",
        "fields": [{"name": "x", "type": "boolean"}, *({"name": f"n{n}", "type": "null"} for n in range(99))],
    },
}  # fmt: skip
ENDLESS = {"type": "record", "name": "r", "fields": [{"name": "r", "type": "r"}]}


def laughs(levels: int) -> tuple[tuple[str, str], ...]:
    """Each record holds the one before twice, in no bytes at all: 2 ** levels parts."""
    fields = [{"name": name, "type": "null"} for name in "ab"]
    texts = [("l0", text({"type": "record", "name": "l0", "fields": fields}))]
    for level in range(1, levels):
        fields = [{"name": name, "type": f"l{level - 1}"} for name in "ab"]
        texts.append((f"l{level}", text({"type": "record", "name": f"l{level}", "fields": fields})))
    return tuple(texts)


@pytest.mark.parametrize("schema", [NULLS, EMPTY, WIDE, ENDLESS, {"type": "map", "values": WIDE}])
def test_a_schema_whose_values_take_no_bytes_is_refused(schema: Any) -> None:
    known = WriterSchema(SchemaType.AVRO, text(schema))
    value = confluent(1, b"\x80\x80\x80\x80\x80\x80\x80\x10\x00")
    assert "hardly a byte" in detail(Avro(Confluent()), value, {1: known}, event=Any)


def test_a_schema_that_doubles_at_each_level_is_refused() -> None:
    *references, (_, last) = laughs(40)
    known = WriterSchema(SchemaType.AVRO, last, tuple(references))
    assert "more than 10000 parts" in detail(Avro(Confluent()), confluent(1, b""), {1: known}, event=Any)


def test_a_value_nested_deeply_is_a_reject_and_no_crash() -> None:
    linked = {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}
    codec = Avro(schema=text(linked))
    assert "RecursionError" in detail(codec, b"\x02" * 1_000_000, event=Any)
    assert not evaluated(codec, b"\x02\x02\x00", event=Any, process=dropped).rejections


def test_a_schema_nested_deeply_is_a_reject_and_no_crash() -> None:
    schema: Any = "int"
    for _ in range(300):
        schema = {"type": "array", "items": schema}
    known = WriterSchema(SchemaType.AVRO, text(schema))
    assert "more than 200 levels" in detail(Avro(Confluent()), confluent(1, b"\x02" * 300), {1: known}, event=Any)
    known = WriterSchema(SchemaType.AVRO, '{"type":"array","items":' * 50_000 + '"int"' + "}" * 50_000)
    assert "is no Avro schema" in detail(Avro(Confluent()), confluent(1, b"\x02"), {1: known}, event=Any)


@pytest.mark.parametrize(
    ("codec", "problem"),
    [
        (Avro(), "codec: Avro: expected a registry or a schema"),
        (Avro(schema="{"), "codec: Avro: schema: the declared schema is no Avro schema"),
        (Avro(schema=text(NULLS)), "codec: Avro: schema: the Avro schema has an array of items"),
        (Gzip(Avro()), "codec: Avro: expected a registry or a schema"),
    ],
)
def test_a_wrong_declaration_is_refused(codec: Any, problem: str) -> None:
    with pytest.raises(InvalidPipeline) as error:
        pipeline(codec=codec)
    assert str(error.value).startswith(f"pipeline 'clicks': {problem}")


def test_the_extra_is_named() -> None:
    assert pipeline(codec=Gzip(Avro(Confluent())), key_codec=Avro(Confluent())).extras == ("avro",)


@given(st.binary(max_size=300), st.sampled_from([1, 2, 3, 4, 5]))
def test_any_bytes_are_a_row_or_a_reject(data: bytes, schema_id: int) -> None:
    for codec, value in (
        (Avro(Confluent()), confluent(schema_id, data)),
        (Avro(Confluent()), data),
        (Avro(Glue()), glue(data)),
        (Avro(Glue()), glue(data, compressed=True)),
        (Avro(schema=text(NEW)), data),
    ):
        evaluation = evaluated(codec, value, schemas=SCHEMAS)
        assert len(evaluation.rows) + len(evaluation.rejections) + evaluation.dropped == 1


def record(types: list[Any]) -> dict[str, Any]:
    fields = [{"name": f"f{number}", "type": type_} for number, type_ in enumerate(types)]
    return {"type": "record", "name": "r", "fields": fields}


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    arrays = inner.map(lambda items: {"type": "array", "items": items})
    maps = inner.map(lambda values: {"type": "map", "values": values})
    several = st.lists(inner, max_size=3)
    return arrays | maps | several | several.map(record)


PRIMITIVES = ["null", "int", "long", "string", "bytes", "boolean", "double", "nonsense", None, 7]
schemas = st.recursive(st.sampled_from(PRIMITIVES), containers, max_leaves=8)


@given(schemas, st.binary(max_size=100))
def test_any_schema_gives_a_value_of_bounded_size_or_a_reject(schema: Any, data: bytes) -> None:
    codec = Avro(Confluent())
    known: KnownSchemas = {1: WriterSchema(SchemaType.AVRO, text(schema))}
    values: list[Any] = []
    evaluation = evaluated(codec, confluent(1, data), schemas=known, event=Any, process=values.append)
    assert len(values) + len(evaluation.rejections) == 1
    assert all(parts(value) <= 10_000 + 16 * len(data) for value in values)


def parts(value: Any) -> int:
    if isinstance(value, dict | list):
        return 1 + sum(map(parts, value.values() if isinstance(value, dict) else value))
    return 1
