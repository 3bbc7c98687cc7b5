"""Registries: framings, and the look-up of schemas before a slice is evaluated."""

import gzip
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from functions.adapters.memory import MemorySchemas, memory_stores
from functions.core import schema_lookup
from functions.core.codecs import Codec, Decoder, Decoding, FramedCodec, json_validator
from functions.core.compression import ByHeader, Gzip
from functions.core.dead_letter import Reason
from functions.core.errors import Unavailable, Undecodable
from functions.core.evaluate import evaluate
from functions.core.pipeline import AnyPipeline
from functions.core.registries import (
    Confluent,
    Glue,
    KnownSchemas,
    NoSchema,
    Registry,
    SchemaId,
    SchemaType,
    WriterSchema,
)
from functions.core.schema_lookup import SchemaCache, schema_ids
from functions.core.settle import Settler
from functions.core.slice import Headers
from tests.unit.core.clicks import DELETE, KEY, SINKS, click, pipeline, slice_of

UUID_ = UUID("0af4f6e7-6e07-4a6d-9e0f-6b1f0b6a8b11")
SCHEMA = WriterSchema(SchemaType.JSON, "{}")


@dataclass(frozen=True)
class Framed(FramedCodec):
    """Framed JSON, whose schema is not checked."""

    registry: Registry | None = field(default_factory=Confluent)

    def decoder(self, event: Any) -> Decoder:
        validate = json_validator(event)

        def decode(data: bytes, headers: Headers, decoding: Decoding) -> Any:
            _, payload = self.unframed(data, decoding, SchemaType.JSON)
            return validate(payload)

        return decode


def confluent(schema_id: int, payload: str | bytes = click()) -> bytes:
    return b"\x00" + schema_id.to_bytes(4) + (payload.encode() if isinstance(payload, str) else payload)


def glue(payload: bytes = click().encode(), *, compression: int = 0) -> bytes:
    return bytes([3, compression]) + UUID_.bytes + (zlib.compress(payload) if compression == 5 else payload)


@dataclass
class Counting(MemorySchemas):
    """A registry that counts, and fails once for the IDs in `failing`."""

    asked: list[SchemaId] = field(default_factory=list)
    failing: set[SchemaId] = field(default_factory=set)

    def get(self, schema_id: SchemaId) -> WriterSchema | NoSchema:
        self.asked.append(schema_id)
        if schema_id in self.failing:
            self.failing.remove(schema_id)
            raise Unavailable("the registry does not answer")
        return super().get(schema_id)


def with_record(event: Any, record: Any) -> None:
    """Take the whole record, and so its key."""


def framed(codec: Codec | None = None, **changes: Any) -> AnyPipeline:
    return pipeline(codec=codec or Framed(), **changes)


@pytest.mark.parametrize("compression", [0, 5])
def test_glues_framing_is_taken_off_and_decompressed(compression: int) -> None:
    records = slice_of(glue(compression=compression))
    evaluation = evaluate(framed(Framed(Glue())), records, KEY, {UUID_: SCHEMA})
    assert evaluation.rows.columns["user"] == ["u"]


@pytest.mark.parametrize(
    ("registry", "value", "detail"),
    [
        (Confluent(), b"{}", "expected Confluent's framing, got JSON"),
        (Confluent(), b"\x00\x00", "expected Confluent's framing, got neither 0x00 nor a schema ID"),
        (Confluent(), glue(), f"expected Confluent's framing, got Glue framing, schema version {UUID_.hex}"),
        (Confluent(), confluent(7), "unknown schema 7 (confluent): it was not looked up"),
        (Confluent(), confluent(2), "unknown schema 2 (confluent): none of this ID"),
        (Confluent(), confluent(3), "schema 3 is AVRO, but the codec is for JSON"),
        (Glue(), b"\x03\x01" + bytes(20), "expected Glue's framing, got neither 0x03 nor a schema UUID"),
        (Glue(), confluent(1), "expected Glue's framing, got Confluent framing, schema ID 1"),
        (Glue(), glue(compression=5)[:-2], "cannot be decompressed: it is truncated"),
        (Glue(), glue(compression=5) + b"xy", "cannot be decompressed: 2 bytes follow"),
        (Glue(max_bytes=99), glue(b" " * 100, compression=5), "expected at most 99 bytes after decompression"),
    ],
)
def test_wrong_framing_or_schema_is_a_reject_that_says_so(registry: Registry, value: bytes, detail: str) -> None:
    known: KnownSchemas = {
        1: SCHEMA,
        2: NoSchema("none of this ID"),
        3: WriterSchema(SchemaType.AVRO, "{}"),
        UUID_: SCHEMA,
    }
    (rejection,) = evaluate(framed(Framed(registry)), slice_of(value), KEY, known).rejections
    assert rejection.reason is Reason.UNDECODABLE
    assert rejection.detail.startswith(detail)


def test_bytes_that_glue_compressed_count_towards_the_slice() -> None:
    decoding = Decoding({UUID_: SCHEMA})
    value = glue(b" " * 1000 + click().encode(), compression=5)
    Framed(Glue()).decoder(dict)(value, (), decoding)
    assert 900 < decoding.inflated < 1100


def test_each_id_of_a_slice_is_named_once() -> None:
    records = slice_of(confluent(1), None, b"{}", confluent(2), confluent(1))
    assert schema_ids(framed(), records) == [1, 2]
    assert schema_ids(pipeline(), records) == []


def test_ids_are_found_in_compressed_values_and_by_header() -> None:
    packed = gzip.compress(confluent(9))
    assert schema_ids(framed(Gzip(Framed())), slice_of(packed, b"\x1f\x8b" + bytes(20))) == [9]
    assert schema_ids(framed(Gzip()), slice_of(packed)) == []
    by_header = ByHeader({"gzip": Gzip(Framed())}, otherwise=None)
    records = replace(slice_of(packed, packed), headers=[[("content-encoding", b"gzip")], ()])
    assert schema_ids(framed(by_header), records) == [9]


def test_keys_are_looked_up_where_they_are_decoded() -> None:
    tables = tuple(sink for sink in SINKS if getattr(sink, "name", "") == "last-click")
    records = slice_of(confluent(1), None, None, keys=[confluent(5), confluent(6), None])
    assert schema_ids(framed(key_codec=Framed()), records) == [1]
    assert schema_ids(framed(key_codec=Framed(), sinks=tables, tombstones=DELETE), records) == [1, 6]
    assert schema_ids(framed(key_codec=Framed(), process=with_record), records) == [1, 5, 6]


def test_a_codec_that_cannot_name_its_schema_rejects_its_record() -> None:
    class Broken(Framed):
        def schema_id(self, data: bytes, _headers: Headers) -> SchemaId | None:
            if data == b"memory":
                raise MemoryError
            raise KeyError(data)

    assert schema_ids(framed(Broken()), slice_of(confluent(1))) == []
    with pytest.raises(MemoryError):
        schema_ids(framed(Broken()), slice_of(b"memory"))


def settled(declared: AnyPipeline, registry: Counting) -> Settler:
    stores = memory_stores(declared, lambda: datetime(2026, 11, 23, tzinfo=UTC))
    return Settler(declared, replace(stores, schemas={"confluent": registry}), KEY)


def test_a_registry_that_does_not_answer_is_a_retry_and_nothing_is_lost_or_asked_twice() -> None:
    registry = Counting({1: SCHEMA, 2: SCHEMA}, failing={2})
    settler = settled(framed(), registry)
    settlement = settler.begin(slice_of(confluent(1), confluent(2), confluent(3)))
    with pytest.raises(Unavailable):
        settlement.run()
    result = settlement.run()
    assert (result.rows, result.rejected) == (2, {Reason.UNDECODABLE: 1})
    assert registry.asked == [1, 2, 2, 3]


def test_a_schema_is_looked_up_once_and_an_unknown_id_again() -> None:
    registry = Counting({1: SCHEMA})
    settler = settled(framed(), registry)
    settler.settle(slice_of(confluent(1), confluent(3)))
    registry.schemas[3] = SCHEMA
    assert settler.settle(slice_of(confluent(1), confluent(3), start=2)).rows == 2
    assert registry.asked == [1, 3, 3]


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_lookup, "MAX_CACHED", 2)
    registry, cache = Counting(dict.fromkeys(range(9), SCHEMA)), SchemaCache()
    for schema_id in (0, 1, 2, 2, 0):
        found = cache.of(framed(), slice_of(confluent(schema_id)), {"confluent": registry})
        assert found == {schema_id: SCHEMA}
    assert registry.asked == [0, 1, 2, 0]


def test_a_pipeline_without_registry_asks_for_nothing() -> None:
    assert SchemaCache().of(pipeline(), slice_of(confluent(1)), {}) == {}


def test_two_registries_are_told_apart_by_their_ids() -> None:
    both = ByHeader({"glue": Framed(Glue())}, otherwise=Framed())
    assert set(framed(both).registries) == {"confluent", "glue"}
    registries = {"confluent": Counting({1: SCHEMA}), "glue": Counting({UUID_: SCHEMA})}
    records = replace(slice_of(confluent(1), glue()), headers=[(), [("content-encoding", b"glue")]])
    assert SchemaCache().of(framed(both), records, registries) == {1: SCHEMA, UUID_: SCHEMA}


def test_unframed_values_have_no_schema() -> None:
    assert Framed(None).schema_id(confluent(1), ()) is None
    with pytest.raises(Undecodable):
        Confluent().payload(b"")
