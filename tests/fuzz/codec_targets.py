"""Any bytes under any codec -> a row, a drop or a reject; also with a schema of the registry that is itself any text.

The first byte of an input selects the codec. Where a schema is part of the input, it ends at the first line end.
"""

import gzip
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import zstandard
from pydantic import AwareDatetime, BaseModel

from functions.codecs.avro import Avro
from functions.codecs.json_schema import JsonSchema
from functions.codecs.protobuf import Protobuf
from functions.codecs.zstd import Zstd
from functions.core.codecs import Codec, Json, Raw
from functions.core.compression import ByHeader, Gzip
from functions.core.evaluate import evaluate
from functions.core.flood import FloodLimit
from functions.core.pipeline import AnyPipeline, Limits, Pipeline
from functions.core.registries import Confluent, Glue, KnownSchemas, SchemaType, WriterSchema
from functions.core.sinks import Lake
from functions.core.slice import Headers, Slice
from tests.codecs.framed import PROTO, UUID_, Click, confluent, glue
from tests.fuzz.memory import KEY

AVRO: Final = """{"type": "record", "name": "Click", "fields": [
    {"name": "user", "type": "string"}, {"name": "at", "type": ["null", "long"]},
    {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
    {"name": "inner", "type": ["null", "Click"], "default": null}]}"""
JSON: Final = '{"type": "object", "required": ["user"], "properties": {"user": {"pattern": "^[a-z]*$"}}}'
MAX_BYTES: Final = 64 * 1024  # of a decompressed value
_Case = Callable[[bytes], None]


class Event(BaseModel):
    """What every value may be decoded to."""

    user: str
    at: int | AwareDatetime | None = None
    tags: list[str] = []
    inner: dict[str, Any] | None = None


class Row(BaseModel):
    """What is stored of it."""

    user: str
    tags: list[str]


def process(event: Event | bytes) -> Row | None:
    """Return a row, or drop an event without a user."""
    if isinstance(event, bytes):
        return Row(user=event.hex(), tags=[])
    return Row(user=event.user, tags=event.tags) if event.user else None


def _declared(codec: Codec, event: Any = Event) -> AnyPipeline:
    limits = Limits(flood=FloodLimit(1.0))
    return Pipeline(
        name="fuzzed",
        topic="fuzzed",
        event=event,
        row=Row,
        process=process,
        sinks=(Lake(),),
        codec=codec,
        limits=limits,
    )


def _evaluate(pipeline: AnyPipeline, value: bytes, schemas: KnownSchemas | None = None, headers: Headers = ()) -> None:
    slice_ = Slice("fuzzed", 0, 0, 0, [0], [0], [None], [value], [headers])
    evaluation = evaluate(pipeline, slice_, KEY, schemas or {})
    assert len(evaluation.rows) + len(evaluation.rejections) + evaluation.dropped == 1


def _framed(make: Callable[[Any], Codec], type_: SchemaType, text: str, indexes: bytes = b"") -> list[_Case]:
    """Return the cases of a codec: bare values, both framings, and a schema that the input brings."""
    confluent_, glue_ = _declared(make(Confluent())), _declared(make(Glue()))
    known: KnownSchemas = {7: WriterSchema(type_, text), UUID_: WriterSchema(type_, text)}

    def brought(data: bytes) -> None:
        schema, _, value = data.partition(b"\n")
        schemas: KnownSchemas = {7: WriterSchema(type_, schema.decode(errors="replace"))}
        _evaluate(confluent_, confluent(7, value, indexes), schemas)

    return [
        lambda data: _evaluate(confluent_, confluent(7, data, indexes), known),
        lambda data: _evaluate(glue_, glue(data), known),
        lambda data: _evaluate(glue_, glue(data, compressed=True), known),
        lambda data: _evaluate(confluent_, data, known),
        brought,
    ]


_COMPRESSED: Final = [_declared(codec) for codec in (Gzip(max_bytes=MAX_BYTES), Zstd(max_bytes=MAX_BYTES))]
_RAW: Final = _declared(Gzip(Raw(), max_bytes=MAX_BYTES), bytes)
_NESTED: Final = _declared(ByHeader({"gzip": Gzip(Zstd(max_bytes=MAX_BYTES), max_bytes=MAX_BYTES), "zstd": Zstd()}))
_BARE: Final = {
    "avro": _declared(Avro(schema=AVRO)), "protobuf": _declared(Protobuf(Click)),
    "json_schema": _declared(JsonSchema(schema=JSON)), "json": _declared(Json()),
}  # fmt: skip
CASES: Final[dict[str, Sequence[_Case]]] = {
    "avro": [lambda data: _evaluate(_BARE["avro"], data), *_framed(Avro, SchemaType.AVRO, AVRO)],
    "protobuf": [
        lambda data: _evaluate(_BARE["protobuf"], data),
        *_framed(lambda registry: Protobuf(Click, registry), SchemaType.PROTOBUF, PROTO, b"\2\2"),
        *_framed(lambda registry: Protobuf(Click, registry), SchemaType.PROTOBUF, PROTO),
    ],
    "json_schema": [
        lambda data: _evaluate(_BARE["json_schema"], data), *_framed(JsonSchema, SchemaType.JSON, JSON),
    ],
    "compressed": [
        lambda data: _evaluate(_COMPRESSED[0], data),
        lambda data: _evaluate(_COMPRESSED[1], data),
        lambda data: _evaluate(_COMPRESSED[0], gzip.compress(data, mtime=0)),
        lambda data: _evaluate(_COMPRESSED[1], zstandard.compress(data)),
        lambda data: _evaluate(_RAW, zlib.compress(data, wbits=31)),
        lambda data: _evaluate(_NESTED, gzip.compress(zstandard.compress(data), mtime=0), None, _encoding(b"gzip")),
        lambda data: _evaluate(_NESTED, data[4:], None, _encoding(data[:4])),
    ],
}  # fmt: skip


def _encoding(name: bytes) -> Headers:
    return [("content-encoding", name)]


def target(name: str) -> Callable[[bytes], None]:
    """Return the target of a codec: a function that raises an exception if its input is a finding."""
    cases = CASES[name]

    def run(data: bytes) -> None:
        if data:
            cases[data[0] % len(cases)](data[1:])

    return run
