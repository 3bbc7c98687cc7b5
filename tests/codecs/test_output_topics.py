"""Output topics with a registered schema: what their messages hold, and the rows and schemas that do not fit."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from functions.adapters.memory import MemorySchemas, MemoryTopic, memory_stores
from functions.codecs.avro import Avro
from functions.codecs.json_schema import JsonSchema
from functions.core.codecs import Codec, Decoding, Json
from functions.core.dead_letter import Reason
from functions.core.effects import Message
from functions.core.errors import Incomplete, InvalidPipeline, Refused, Unavailable
from functions.core.pipeline import AnyPipeline, Pipeline
from functions.core.ports import Refusal, Stores
from functions.core.registries import Confluent, Glue, NoSchema, SchemaId, SchemaType, WriterSchema
from functions.core.settle import Settler
from functions.core.sinks import Lake, Topic
from functions.core.slice import Slice
from tests.codecs.framed import UUID_

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = b"sixteen bytes or more"


class Line(BaseModel):
    sku: str
    amount: Annotated[Decimal, Field(max_digits=9, decimal_places=2)]
    at: datetime
    note: str | None = None
    tags: list[str] = []


FIELDS: list[dict[str, Any]] = [
    {"name": "sku", "type": "string"},
    {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "note", "type": ["null", "string"], "default": None},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
]
MORE = {"name": "more", "type": "string", "default": "x"}


def avro(*fields: dict[str, Any]) -> WriterSchema:
    return WriterSchema(SchemaType.AVRO, json.dumps({"type": "record", "name": "Line", "fields": fields}))


def json_schema(**properties: Any) -> WriterSchema:
    return WriterSchema(SchemaType.JSON, json.dumps({"type": "object", "properties": properties}))


def pipeline(codec: Codec, **changes: Any) -> AnyPipeline:
    sink = Topic("line", key="sku", codec=codec, **changes)
    return Pipeline(name="lines", topic="lines", event=Line, row=Line, process=lambda line: line, sinks=(Lake(), sink))


def line(sku: str = "tea", amount: str = "1.50", **more: Any) -> bytes:
    return json.dumps({"sku": sku, "amount": amount, "at": "2026-01-01T00:00:00.000001Z"} | more).encode()


def slice_of(*values: bytes) -> Slice:
    n = len(values)
    return Slice("lines", 0, 0, n - 1, range(n), [0] * n, [None] * n, values, [()] * n)


def stores_of(declared: AnyPipeline, schema: WriterSchema | None, schema_id: SchemaId = 7, subject: str = "") -> Stores:
    stores = memory_stores(declared, lambda: NOW)
    (registry,) = stores.schemas.values()
    assert isinstance(registry, MemorySchemas)
    if schema:
        registry.schemas[schema_id] = schema
        registry.subjects[subject or "line-value"] = schema_id
    return stores


def sent(stores: Stores) -> list[Message]:
    writer: Any = stores.topics["line"]
    topic: MemoryTopic = writer.writer
    return topic.messages


def read(codec: Codec, message: Message, schema_id: SchemaId, schema: WriterSchema) -> Any:
    assert isinstance(message.value, bytes)
    return codec.decoder(Line)(message.value, (), Decoding({schema_id: schema}))


@pytest.mark.parametrize(
    ("codec", "schema_id", "subject"),
    [
        (Avro(Confluent()), 7, "line-value"),
        (Avro(Glue()), UUID_, "line"),
        (Avro(Confluent()), 2**31 - 1, "own"),
    ],
    ids=["confluent", "glue", "own"],
)
def test_rows_are_avro_that_names_its_schema(codec: Avro, schema_id: SchemaId, subject: str) -> None:
    declared = pipeline(codec, subject="own" if subject == "own" else None)
    schema = avro(*FIELDS, MORE)
    stores = stores_of(declared, schema, schema_id, subject)
    settled = Settler(declared, stores, KEY).settle(slice_of(line(), line("cup", note="n", tags=["a"])))
    assert settled.rows == 2
    first, second = (read(codec, message, schema_id, schema) for message in sent(stores))
    assert first == Line(sku="tea", amount=Decimal("1.50"), at=datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC))
    assert (second.note, second.tags) == ("n", ["a"])
    assert [message.key for message in sent(stores)] == [b"tea", b"cup"]


def test_rows_are_json_that_names_its_schema() -> None:
    codec, schema = JsonSchema(Confluent()), json_schema(sku={"type": "string"}, amount={"type": "string"})
    declared = pipeline(codec)
    stores = stores_of(declared, schema)
    Settler(declared, stores, KEY).settle(slice_of(line()))
    (message,) = sent(stores)
    assert isinstance(message.value, bytes)
    assert json.loads(message.value[5:])["amount"] == "1.50"
    assert read(codec, message, 7, schema).sku == "tea"


@pytest.mark.parametrize(
    ("codec", "schema", "bad", "detail"),
    [
        (Avro(Confluent()), avro(*FIELDS), line(amount="1234567.00"), "does not fit its Avro schema: ValueError"),
        (
            JsonSchema(Confluent()), json_schema(sku={"maxLength": 3}), line("long"),
            "sku: does not match the keyword 'maxLength' of its JSON Schema",
        ),
        (JsonSchema(Confluent()), WriterSchema(SchemaType.JSON, '{"maxProperties": 4}'), None, "'maxProperties'"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_a_dead_letter(
    codec: Codec, schema: WriterSchema, bad: bytes | None, detail: str
) -> None:
    declared = pipeline(codec)
    stores: Any = stores_of(declared, schema)
    Settler(declared, stores, KEY).settle(slice_of(line(), bad or line()))
    letters = sorted(stores.dead_letters.letters.values(), key=lambda letter: letter.offset)
    assert [letter.offset for letter in letters] == ([0, 1] if bad is None else [1])
    assert {letter.reason for letter in letters} == {Reason.REFUSED}
    assert detail in letters[-1].detail
    assert len(sent(stores)) == (0 if bad is None else 1)


@pytest.mark.parametrize(
    ("codec", "schema", "detail"),
    [
        (Avro(Confluent()), None, "confluent: subject line-value: the registry has none"),
        (Avro(Confluent()), avro(*FIELDS[1:]), "schema 7 of subject line-value: it has no field sku"),
        (Avro(Confluent()), avro(*FIELDS, {"name": "x", "type": "int"}), "the row has no field x"),
        (Avro(Confluent()), json_schema(), "it is JSON, but the codec is for AVRO"),
        (JsonSchema(Confluent()), avro(*FIELDS), "it is AVRO, but the codec is for JSON"),
        (Avro(Confluent()), WriterSchema(SchemaType.AVRO, '"string"'), "it has no field amount, at, note, sku, tags"),
        (Avro(Confluent()), WriterSchema(SchemaType.AVRO, "{"), "is no Avro schema"),
    ],
)
def test_a_schema_that_cannot_hold_the_rows_stops_the_partition(
    codec: Codec, schema: WriterSchema | None, detail: str
) -> None:
    declared = pipeline(codec)
    stores = stores_of(declared, schema)
    with pytest.raises(Refused, match=detail):
        Settler(declared, stores, KEY).settle(slice_of(line()))
    assert sent(stores) == []


def test_a_registry_that_does_not_answer_is_a_retry_and_nothing_is_lost() -> None:
    declared = pipeline(Avro(Confluent()))
    stores = stores_of(declared, avro(*FIELDS))

    class Away(MemorySchemas):
        def latest(self, subject: str) -> tuple[SchemaId, WriterSchema] | NoSchema:
            raise Unavailable(f"GET {subject}")

    writer: Any = stores.topics["line"]
    there, writer.schemas = writer.schemas, Away()
    settlement = Settler(declared, stores, KEY).begin(slice_of(line()))
    with pytest.raises(Unavailable):
        settlement.run()
    writer.schemas = there
    assert settlement.run().rows == 1
    assert len(sent(stores)) == 1


def test_what_is_not_acknowledged_is_sent_again_with_what_was_refused() -> None:
    declared = pipeline(Avro(Confluent()))
    stores: Any = stores_of(declared, avro(*FIELDS))

    class Slow(MemoryTopic):
        tries = 0

        def send(self, messages: Sequence[Message]) -> Sequence[Refusal]:
            self.tries += 1
            if self.tries > 1:
                return super().send(messages)
            super().send(messages[:1])
            raise Incomplete("not acknowledged", messages[1:])

    stores.topics["line"].writer = Slow()
    settlement = Settler(declared, stores, KEY).begin(slice_of(line("a"), line(amount="1234567.00"), line("b")))
    with pytest.raises(Unavailable):
        settlement.run()
    assert settlement.run().rows == 3, "the lake has the refused one, too"
    assert [message.key for message in sent(stores)] == [b"a", b"b"]
    (letter,) = stores.dead_letters.letters.values()
    assert letter.offset == 1


@pytest.mark.parametrize(
    ("codec", "problem"),
    [
        (Json(), "Topic 'line' codec: expected Avro.REGISTRY. or JsonSchema.REGISTRY., Json writes no rows"),
        (Avro(schema='"string"'), "Topic 'line' codec: expected one with a registry"),
        ("avro", "Topic 'line' codec: expected Avro.REGISTRY. or JsonSchema.REGISTRY., got 'avro'"),
    ],
)
def test_what_cannot_work_is_refused_at_declaration(codec: Any, problem: str) -> None:
    with pytest.raises(InvalidPipeline, match=problem):
        pipeline(codec)


def test_the_pipeline_has_the_registry_and_the_packages() -> None:
    declared = pipeline(Avro(Confluent()))
    assert declared.registries == {"confluent": Confluent()}
    assert declared.extras == ("avro",)
    plain = replace(declared, sinks=(Lake(), Topic("line", key="sku")))
    assert (plain.registries, plain.extras) == ({}, ())


def test_a_codec_that_only_reads_writes_nothing() -> None:
    assert not Json().writes
    with pytest.raises(NotImplementedError):
        Json().writer(avro(), ())
