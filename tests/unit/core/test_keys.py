"""Keys of tombstones: decoded as declared, never guessed, and refused with a reason."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.column_types import ColumnType, Integer, Text, Uuid
from functions.core.keys import JsonKey, KeyCodec, TextKey, table_keys

ID = UUID(int=2**127 + 10)
TEXT: dict[str, ColumnType] = {"x": Text()}
NUMBER: dict[str, ColumnType] = {"n": Integer()}
UUID_: dict[str, ColumnType] = {"id": Uuid()}
TWO = TEXT | NUMBER
INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("codec", "key", "fields", "keys"),
    [
        (TextKey(), "zo\u00eb", TEXT, {"x": "zo\u00eb"}),
        (TextKey(), " 17 ", TEXT, {"x": " 17 "}),
        (TextKey(), "[1]", TEXT, {"x": "[1]"}),
        (TextKey(), "x" * 2048, TEXT, {"x": "x" * 2048}),
        (TextKey(), "-9223372036854775808", NUMBER, {"n": -(2**63)}),
        (TextKey(), "9223372036854775807", NUMBER, {"n": 2**63 - 1}),
        (TextKey(), "0", NUMBER, {"n": 0}),
        (TextKey(), str(ID).upper(), UUID_, {"id": str(ID)}),
        (JsonKey(), '"zo\\u00eb"', TEXT, {"x": "zo\u00eb"}),
        (JsonKey(), "17", NUMBER, {"n": 17}),
        (JsonKey(), f'"{ID}"'.upper(), UUID_, {"id": str(ID)}),
        (JsonKey(), '{"n": -1, "x": "a", "more": []}', TWO, {"x": "a", "n": -1}),
        (JsonKey(), '{"x": "{\\"y\\": 1}"}', TEXT, {"x": '{"y": 1}'}),
        (JsonKey(), '{"schema": {"type": "struct"}, "payload": {"n": 1}}', NUMBER, {"n": 1}),
        (JsonKey(), '{"schema": {"type": "int64"}, "payload": 1}', NUMBER, {"n": 1}),
        (JsonKey(), '{"schema": "s", "payload": "p", "x": "a"}', TEXT, {"x": "a"}),
    ],
)
def test_a_key_is_decoded_as_declared(
    codec: KeyCodec, key: str, fields: dict[str, ColumnType], keys: dict[str, str | int]
) -> None:
    decoded = table_keys(codec.decode(key.encode()), fields)
    assert decoded == keys
    assert {name: type(value) for name, value in decoded.items()} == {name: type(value) for name, value in keys.items()}


@pytest.mark.parametrize(
    ("codec", "key", "fields", "why"),
    [
        (TextKey(), b"", TEXT, "expected 1 to 2048 bytes, got 0"),
        (TextKey(), b"x" * 2049, TEXT, "expected 1 to 2048 bytes, got 2049"),
        (TextKey(), "\u00e9".encode() * 1025, TEXT, "expected 1 to 2048 bytes, got 2050"),
        (TextKey(), b"\xff", TEXT, "utf-8"),
        (TextKey(), b'{"x": "a"}', TEXT, "it looks like JSON, but the pipeline's key_codec is TextKey"),
        (TextKey(), b'"a"', TEXT, "it looks like JSON"),
        *((TextKey(), key, NUMBER, "expected an integer of 64 bits") for key in (
            b"", b"1.0", b"1e3", b" 1", b"1\n", b"+1", b"007", b"-", b"1_000", b"0x1", "\u0661".encode(), b"9" * 5000,
            b"9223372036854775808", b"-9223372036854775809",
        )),
        *((TextKey(), key, UUID_, "expected a UUID") for key in (
            b"", b"x", ID.hex.encode(), f"{ID}x".encode(), f"urn:uuid:{ID}".encode(), f"{ID}\n".encode(),
        )),
        (TextKey(), b"\x00\x00\x00\x00\x07ada", TEXT, "it looks like Confluent framing, schema ID 7, but .* TextKey"),
        (JsonKey(), b"\x00\x00\x00\x00\x07ada", TEXT, "it looks like Confluent framing, schema ID 7, but .* JsonKey"),
        (JsonKey(), b"\x03\x00" + bytes(17), TEXT, "it looks like Glue framing, schema version 0{32}, but"),
        (JsonKey(), b"", TEXT, "Expecting value"),
        (JsonKey(), b"a", TEXT, "Expecting value"),
        (JsonKey(), b"\xff", TEXT, "utf-8"),
        (JsonKey(), b"null", TEXT, "x: expected text"),
        (JsonKey(), b"17", TEXT, "x: expected text"),
        (JsonKey(), b'""', TEXT, "expected 1 to 2048 bytes, got 0"),
        (JsonKey(), b'"\\ud800"', TEXT, "surrogates not allowed"),
        (JsonKey(), b'["a"]', TEXT, "x: expected text"),
        (JsonKey(), b"{}", TWO, "it has no n, x"),
        (JsonKey(), b'{"x": "a"}', TWO, "it has no n"),
        (JsonKey(), b'"a"', TWO, "expected an object with x, n"),
        (JsonKey(), b'{"schema": {}, "payload": null}', TWO, "expected an object with x, n"),
        *((JsonKey(), key, NUMBER, "n: expected an integer of 64 bits") for key in (
            b"true", b"1.0", b'"1.0"', b"null", b"9223372036854775808", b"-9223372036854775809", b'{"n": [1]}',
        )),
        (JsonKey(), b'{"id": 1}', UUID_, "id: expected a UUID"),
        (JsonKey(), b'"not one"', UUID_, "expected a UUID"),
    ],
)  # fmt: skip
def test_a_key_that_names_no_row_is_refused(
    codec: KeyCodec, key: bytes, fields: dict[str, ColumnType], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        table_keys(codec.decode(key), fields)


@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode), st.sampled_from([TEXT, NUMBER, UUID_, TWO]))
def test_any_key_is_decoded_into_the_fields_or_refused(key: bytes, fields: dict[str, ColumnType]) -> None:
    for codec in (TextKey(), JsonKey()):
        try:
            keys = table_keys(codec.decode(key), fields)
        except ValueError:
            continue
        assert keys.keys() == fields.keys()
        assert all(isinstance(keys[name], int) is isinstance(fields[name], Integer) for name in keys)


NAMES = ["x", "n", "id", "schema", "payload"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=6,
)


@given(JSON, st.sampled_from([TEXT, NUMBER, UUID_, TWO]))
def test_any_json_is_decoded_into_the_fields_or_refused(value: Any, fields: dict[str, ColumnType]) -> None:
    try:
        keys = table_keys(JsonKey().decode(json.dumps(value).encode()), fields)
    except ValueError:
        return
    assert keys.keys() == fields.keys()


@given(INT64, st.uuids(), st.text(min_size=1, max_size=100))
def test_what_a_producer_wrote_is_what_is_decoded(number: int, uuid: UUID, text: str) -> None:
    both = json.dumps({"n": number, "id": str(uuid), "x": text}).encode()
    assert table_keys(JsonKey().decode(both), NUMBER | UUID_ | TEXT) == {"n": number, "id": str(uuid), "x": text}
    assert table_keys(TextKey().decode(str(number).encode()), NUMBER) == {"n": number}
    assert table_keys(TextKey().decode(str(uuid).encode()), UUID_) == {"id": str(uuid)}
