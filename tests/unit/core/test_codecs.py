"""Codecs of the core: JSON, raw bytes, compression, a header's choice, and one of a pipeline's own."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from functions.core.codecs import Codec, Decoder, Decoding, Json, Raw
from functions.core.compression import ByHeader, Gzip
from functions.core.dead_letter import Reason, Rejection
from functions.core.errors import InvalidPipeline, Undecodable
from functions.core.evaluate import Evaluation, evaluate
from functions.core.keys import JsonKey
from functions.core.pipeline import AnyPipeline, Limits
from functions.core.registries import Confluent
from functions.core.slice import Headers, Slice
from tests.unit.core.clicks import DELETE, KEY, SINKS, Row, click, pipeline, process, slice_of

GOOD = click().encode()


def packed(data: bytes) -> bytes:
    """Compress data to the same bytes at any time: they are part of the tests' names."""
    return gzip.compress(data, mtime=0)


@dataclass(frozen=True)
class Csv(Codec):
    """As in the documentation of functions.core.codecs."""

    def decoder(self, event: Any) -> Decoder:
        validate = TypeAdapter(event).validate_python

        def decode(data: bytes, headers: Headers, decoding: Decoding) -> Any:
            fields = data.decode().split(",")
            if len(fields) != 2:
                raise Undecodable(f"expected 2 fields, got {len(fields)}")
            return validate({"user": fields[0], "at": fields[1]})

        return decode


def evaluated(codec: Codec, *values: bytes, headers: Headers = (), **changes: Any) -> Evaluation:
    records = replace(slice_of(*values), headers=[headers] * len(values))
    return evaluate(pipeline(codec=codec, **changes), records, KEY)


def rejected(codec: Codec, value: bytes, headers: Headers = (), **changes: Any) -> Rejection:
    evaluation = evaluated(codec, value, headers=headers, **changes)
    assert not evaluation.rows
    (rejection,) = evaluation.rejections
    return rejection


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (packed(GOOD), "gzip"),
        (b"\x28\xb5\x2f\xfd\x00", "zstd"),
        (b"\x00\x00\x00\x00\x07\x02a", "Confluent framing, schema ID 7"),
        (b"\x03\x05" + bytes(range(16)) + b"x", "Glue framing, schema version 000102030405060708090a0b0c0d0e0f"),
        (b"Obj\x01", "an Avro file"),
        (b"\xef\xbb\xbf" + GOOD, "text with a byte order mark"),
    ],
)
def test_a_value_that_is_not_json_is_rejected_with_what_it_looks_like(value: bytes, found: str) -> None:
    rejection = rejected(Json(), value)
    assert rejection.reason is Reason.UNDECODABLE
    assert rejection.detail.endswith(f"; it looks like {found}, but the codec is Json")


@pytest.mark.parametrize("value", [b"nonsense", b"{", b'[{"user": 1}, '])
def test_json_that_is_broken_has_no_hint(value: bytes) -> None:
    assert "looks like" not in rejected(Json(), value).detail


def test_raw_bytes_are_the_event() -> None:
    def taken(event: bytes) -> Row:
        assert event == b"\x00\xff"
        return Row(user="u", at=60, page=None, secret="s")

    assert len(evaluated(Raw(), b"\x00\xff", event=bytes, process=taken).rows) == 1


def test_a_codec_of_ones_own_decodes_and_rejects() -> None:
    evaluation = evaluated(Csv(), b"ada,60", b"ada", b"ada,now", b"\xff")
    assert evaluation.rows.columns["user"] == ["ada"]
    assert [(rejection.reason, rejection.index) for rejection in evaluation.rejections] == [
        (Reason.UNDECODABLE, 1), (Reason.INVALID, 2), (Reason.FAILED, 3),
    ]  # fmt: skip
    assert evaluation.rejections[0].detail == "expected 2 fields, got 1"


def test_a_tombstone_is_none_under_any_codec() -> None:
    evaluation = evaluate(pipeline(codec=Csv()), slice_of(None, "ada,60"), KEY)
    assert evaluation.dropped == 1
    assert len(evaluation.rows) == 1


@pytest.mark.parametrize("value", [packed(GOOD), packed(GOOD[:9]) + packed(GOOD[9:])])
def test_gzip_is_decompressed_in_one_part_or_several(value: bytes) -> None:
    assert evaluated(Gzip(), value).rows.columns["user"] == ["u"]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (GOOD, "expected gzip, got JSON"),
        (b"nonsense", "expected gzip, got other bytes"),
        (packed(GOOD)[:-1], "cannot be decompressed: it is truncated"),
        (packed(GOOD)[:-8] + bytes(8), "cannot be decompressed: Error -3"),
        (packed(GOOD) + b"x", "cannot be decompressed: it is truncated"),
        (packed(GOOD) + b"xyz", "cannot be decompressed: Error -3"),
        (packed(b"") * 101, "cannot be decompressed: expected at most 100 parts"),
        (packed(b" " * 1001 + GOOD), "expected at most 1000 bytes after decompression, got more"),
        (packed(b" " * 600) * 2, "expected at most 1000 bytes after decompression, got more"),
    ],
)
def test_gzip_that_is_damaged_or_a_bomb_is_rejected(value: bytes, detail: str) -> None:
    rejection = rejected(Gzip(max_bytes=1000), value)
    assert rejection.reason is Reason.UNDECODABLE
    assert rejection.detail.startswith(detail)


def test_of_compressed_json_the_reason_is_that_of_json() -> None:
    assert rejected(Gzip(), packed(b"{")).reason is Reason.UNDECODABLE
    assert rejected(Gzip(), packed(b"{}")).reason is Reason.INVALID


BY_HEADER = ByHeader({"gzip": Gzip()})


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ((), GOOD),
        ([("trace", b"gzip"), ("content-encoding", None)], GOOD),
        ([("Content-Encoding", b" GZIP ")], packed(GOOD)),
        ([("content-encoding", b"br"), ("content-encoding", b"gzip")], packed(GOOD)),
    ],
)
def test_a_header_names_the_codec(headers: Headers, value: bytes) -> None:
    assert evaluated(BY_HEADER, value, headers=headers).rows.columns["user"] == ["u"]


def test_a_header_that_names_no_codec_is_rejected() -> None:
    detail = rejected(BY_HEADER, GOOD, [("content-encoding", b"\xff" * 99)]).detail
    assert detail == f"header content-encoding: expected gzip, got {'ÿ' * 50!r}"
    strict = ByHeader({"gzip": Gzip()}, otherwise=None)
    assert rejected(strict, GOOD).detail == "header content-encoding: expected gzip, got 'none'"


def test_a_slice_ends_where_it_has_expanded_to_its_bytes() -> None:
    value = packed(b" " * 1000 + GOOD)
    limits = Limits(slice_bytes=3000)
    evaluation = evaluated(Gzip(), *[value] * 10, limits=limits)
    assert (evaluation.slice_.start, evaluation.slice_.end, len(evaluation.rows)) == (0, 2, 3)
    rest = slice_of(*[value] * 10).since(evaluation.slice_.end + 1)
    assert evaluate(pipeline(codec=Gzip(), limits=limits), rest, KEY).slice_.end == 5


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"codec": None}, "codec: expected a codec such as Json(), got None"),
        ({"codec": Json}, "codec: expected a codec such as Json()"),
        ({"codec": Raw()}, "event: expected bytes, as the codec is Raw()"),
        ({"codec": Gzip(Raw())}, "event: expected bytes, as the codec is Raw()"),
        ({"codec": Gzip(max_bytes=0)}, "codec: max_bytes: expected a number above 0, got 0"),
        ({"codec": ByHeader({})}, "codec: ByHeader: expected at least one codec"),
        ({"codec": ByHeader({"gzip": Gzip(max_bytes=0)})}, "codec: max_bytes"),
        ({"key_codec": Gzip(max_bytes=0)}, "key_codec: max_bytes"),
        ({"key_codec": 7}, "key_codec: expected a codec such as TextKey() or Avro(...), got 7"),
    ],
)
def test_a_wrong_codec_is_refused_when_it_is_declared(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidPipeline) as error:
        pipeline(**changes)
    assert str(error.value).startswith(f"pipeline 'clicks': {problem}")


def test_json_costs_what_it_did() -> None:
    declared = pipeline()
    validator = declared.validate
    assert getattr(validator, "__name__", "") == "validate_json"
    assert type(declared.codec) is Json
    assert (declared.extras, declared.registries) == ((), {})


def deleting(codec: Any) -> AnyPipeline:
    tables = tuple(sink for sink in SINKS if getattr(sink, "name", "") == "last-click")
    return pipeline(sinks=tables, tombstones=DELETE, key_codec=codec)


@pytest.mark.parametrize("codec", [Json(), Gzip(), JsonKey()])
def test_a_codec_decodes_keys_too(codec: Any) -> None:
    key = b'{"user":"ada"}'
    records = slice_of(None, keys=[packed(key) if codec == Gzip() else key])
    (delete,) = evaluate(deleting(codec), records, KEY).rows.deletes
    assert delete.keys == {"user": "ada"}


def test_a_key_that_its_codec_refuses_names_no_row() -> None:
    (rejection,) = evaluate(deleting(Gzip()), slice_of(None, keys=[b"{}"]), KEY).rejections
    assert rejection.detail == "its key names no row to delete: expected gzip, got JSON"


def test_process_gets_the_decoded_key_and_none_stays_none() -> None:
    keys: list[Any] = []

    def taken(event: Any, record: Any) -> Row | None:
        keys.append(record.key)
        return process(event)

    records = slice_of(click(), click(), keys=[b"[1]", None])
    evaluate(pipeline(process=taken, key_codec=Json()), records, KEY)
    assert keys == [[1], None]


@given(st.binary(max_size=200), st.booleans(), st.sampled_from([b"gzip", b"br", b""]))
def test_any_bytes_are_a_row_a_drop_or_a_reject(data: bytes, compressed: bool, header: bytes) -> None:  # noqa: FBT001
    value = packed(data) if compressed else data
    for codec in (Json(), Gzip(), Csv(), BY_HEADER, Gzip(Gzip())):
        evaluation = evaluated(codec, value, headers=[("content-encoding", header)])
        assert len(evaluation.rows) + len(evaluation.rejections) + evaluation.dropped == 1


def test_parts_are_all_codecs_within() -> None:
    def names(codec: Codec) -> Iterator[str]:
        return (type(part).__name__ for part in codec.parts())

    assert list(names(ByHeader({"gzip": Gzip(Raw())}))) == ["ByHeader", "Gzip", "Raw", "Json"]
    assert zlib.MAX_WBITS == 15  # what functions.core.inflating adds gzip's 16 to
    assert Confluent().name == "confluent"


def test_slices_without_compression_are_whole() -> None:
    records: Slice = slice_of(*[click()] * 5)
    assert evaluate(pipeline(limits=Limits(slice_bytes=1)), records, KEY).slice_ is records
