"""Protobuf: bytes of Google's encoder in the registries' framings, and messages that expand."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.codecs.proto_names import message_names
from functions.codecs.protobuf import Protobuf
from functions.core.errors import InvalidPipeline
from functions.core.registries import Confluent, Glue, KnownSchemas, SchemaType, WriterSchema
from tests.codecs.framed import PROTO, UUID_, Click, Other, confluent, detail, evaluated, glue
from tests.unit.core.clicks import pipeline

KNOWN = WriterSchema(SchemaType.PROTOBUF, PROTO)
SCHEMAS: KnownSchemas = {1: KNOWN, UUID_: KNOWN}
ADA: bytes = Click(user="ada", at=60).SerializeToString()
SECOND = b"\x02\x02"  # one index, 1, both as zigzag varints


def test_a_bare_message_is_decoded() -> None:
    evaluation = evaluated(Protobuf(Click), ADA, Click(user="bob", page="p").SerializeToString())
    assert evaluation.rows.columns["user"] == ["ada", "bob"]
    assert evaluation.rows.columns["page"] == [None, "p"]
    assert evaluation.rows.columns["at"][1] == datetime(1970, 1, 1, tzinfo=UTC)  # what has no presence has its default


def test_confluents_framing_names_the_message() -> None:
    value = confluent(1, ADA, SECOND)
    assert evaluated(Protobuf(Click, Confluent()), value, schemas=SCHEMAS).rows.columns["user"] == ["ada"]


@pytest.mark.parametrize("compressed", [False, True])
def test_glues_framing_names_the_message(compressed: bool) -> None:  # noqa: FBT001
    value = glue(b"\x00" + ADA, compressed=compressed)  # sorted: Click is the first
    assert evaluated(Protobuf(Click, Glue()), value, schemas=SCHEMAS).rows.columns["user"] == ["ada"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (confluent(1, ADA, b"\x00"), "expected the message shop.v1.Click, got shop.v1.Other"),
        (
            confluent(1, ADA, b"\x02\x12"),
            "expected the message shop.v1.Click, got index (9,), which its schema has not",
        ),
        (confluent(1, b""), "expected message indexes after the schema's ID"),
        (confluent(1, b"\xff" * 20), "expected message indexes after the schema's ID"),
        (confluent(1, b"\x01"), "expected at most 32 message indexes, got -1"),
        (confluent(1, b"\x7e"), "expected at most 32 message indexes, got 63"),
        (confluent(1, b"\xff\xff", SECOND), "not a shop.v1.Click: DecodeError"),
        (confluent(1, b"\x0a\x01\xff", SECOND), "not a shop.v1.Click: DecodeError"),
        (confluent(2, ADA), "unknown schema 2 (confluent)"),
    ],
)
def test_another_message_or_framing_is_rejected(value: bytes, expected: str) -> None:
    assert detail(Protobuf(Click, Confluent()), value, SCHEMAS).startswith(f"undecodable: {expected}")


def test_every_type_arrives_as_a_python_value() -> None:
    message = Click(user="u", inner=[Click(user="in")], kinds={"k": 1}, kind=7, raw=b"\xff")
    message.when.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
    seen: list[Any] = []
    evaluated(Protobuf(Click), message.SerializeToString(), event=Any, process=seen.append)
    (value,) = seen
    assert value["inner"] == [{"user": "in", "at": 0, "inner": [], "kinds": {}, "kind": "NONE", "raw": b""}]
    assert (value["kinds"], value["kind"], value["raw"]) == ({"k": "SOME"}, 7, b"\xff")
    assert value["when"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert "page" not in value


def test_a_message_that_expands_is_rejected_in_bounded_memory() -> None:
    bomb = b"\x22\x00" * 500_000  # empty messages of two bytes
    assert detail(Protobuf(Click), bomb, event=Any) == (
        "undecodable: expected at most 100000 values in a message, got more"
    )
    deep = b""
    for _ in range(5_000):
        size = len(deep)
        deep = b"\x22" + varint(size) + deep
    assert "DecodeError" in detail(Protobuf(Click), deep, event=Any)


def varint(number: int) -> bytes:
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def test_a_timestamp_beyond_the_calendar_is_a_reject() -> None:
    message = Click(user="u")
    message.when.seconds = 2**62
    assert detail(Protobuf(Click), message.SerializeToString(), event=Any).startswith(
        "undecodable: not a shop.v1.Click"
    )


def test_names_follow_both_registries_ways_to_count() -> None:
    found = {index: set(names) for index, names in message_names(PROTO).items()}
    assert found[(0,)] == {"shop.v1.Other"}
    assert found[(1,)] == {"shop.v1.Click"}
    assert found[(0, 0)] == {"shop.v1.Other.Inner"}
    assert found[(0, 1)] == {"shop.v1.Other.AMapEntry", "shop.v1.Other.After"}  # clients differ
    assert [found[index] for index in range(4)] == [
        {"shop.v1.Click"}, {"shop.v1.Click.KindsEntry"}, {"shop.v1.Other"}, {"shop.v1.Other.AMapEntry"},
    ]  # fmt: skip


def test_names_agree_with_protobufs_own_descriptors() -> None:
    for message in (Click, Other):
        descriptor = message.DESCRIPTOR
        names = message_names(PROTO)
        index = list(descriptor.file.message_types_by_name).index(descriptor.name)
        assert names[(index,)] == {descriptor.full_name}
        for nested, inner in enumerate(descriptor.nested_types):
            assert inner.full_name in names[(index, nested)]


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("nowhere.at:All", "codec: Protobuf: message: cannot import 'nowhere.at'"),
        ("", "codec: Protobuf: message: cannot import ''"),
        ("tests.codecs.framed:PROTO", "codec: Protobuf: message: expected a class that protoc made"),
        (int, "codec: Protobuf: message: expected a class that protoc made"),
    ],
)
def test_a_wrong_declaration_is_refused(message: Any, problem: str) -> None:
    with pytest.raises(InvalidPipeline) as error:
        pipeline(codec=Protobuf(message))
    assert str(error.value).startswith(f"pipeline 'clicks': {problem}")


def test_a_message_is_declared_by_its_path() -> None:
    codec = Protobuf("tests.codecs.framed:Click")
    assert evaluated(codec, ADA).rows.columns["user"] == ["ada"]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_row_or_a_reject(data: bytes) -> None:
    for codec, value in (
        (Protobuf(Click), data),
        (Protobuf(Click, Confluent()), confluent(1, data, SECOND)),
        (Protobuf(Click, Confluent()), confluent(1, data)),
        (Protobuf(Click, Glue()), glue(data)),
    ):
        evaluation = evaluated(codec, value, schemas=SCHEMAS)
        assert len(evaluation.rows) + len(evaluation.rejections) + evaluation.dropped == 1


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(
            ["message", "A", "{", "}", "map", "<", ",", ">", "/*", '"', "oneof", "package", ";", "group", "=", "1"]
        ),
        max_size=40,
    ).map(" ".join)
)
def test_any_text_has_names(text: str) -> None:
    assert isinstance(dict(message_names(text)), dict)


@pytest.mark.parametrize("text", ["/*" * 500_000, '"' * 999_999, "message A {" * 100_000, "map<" * 250_000])
@pytest.mark.timeout(60)
def test_a_hostile_text_takes_linear_time(text: str) -> None:
    message_names(text)
