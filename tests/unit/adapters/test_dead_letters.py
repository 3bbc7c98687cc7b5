import json
from dataclasses import replace

import pytest

from functions.adapters.letter_json import encode, parse
from functions.adapters.letter_key import letter_key
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt

LETTER = DeadLetter(
    "logins", "user-login", 3, 345, 1_795_440_410_000, b"\xff", '{"a": "é"}'.encode(),
    [("trace", b"1"), ("trace", None)], Reason.REJECTED, "ip: takes an address", "",
)  # fmt: skip


def test_a_key_holds_the_letters_origin_and_reason() -> None:
    assert letter_key(LETTER) == "logins/reason=rejected/day=2026-11-23/user-login-3-00000000000000000345.json"


@pytest.mark.parametrize(
    ("timestamp", "day"), [(-1, "1970-01-01"), (2**63 - 1, "9999-12-31"), (-(2**63), "1970-01-01")]
)
def test_every_timestamp_has_a_day(timestamp: int, day: str) -> None:
    assert f"/day={day}/" in letter_key(replace(LETTER, timestamp=timestamp))


def test_the_body_is_the_documented_json() -> None:
    assert json.loads(encode(LETTER)) == {
        "version": 1, "pipeline": "logins", "topic": "user-login", "partition": 3, "offset": 345,
        "timestamp": 1_795_440_410_000, "reason": "rejected", "detail": "ip: takes an address", "traceback": "",
        "key": {"base64": "/w=="}, "value": {"base64": "eyJhIjogIsOpIn0=", "text": '{"a": "é"}'},
        "headers": [["trace", "MQ=="], ["trace", None]],
    }  # fmt: skip


def test_long_text_is_not_repeated() -> None:
    assert set(json.loads(encode(replace(LETTER, value=b"a" * 4097)))["value"]) == {"base64"}


def test_text_is_for_reading_only() -> None:
    fields = json.loads(encode(LETTER))
    fields["value"]["text"] = "edited"
    assert parse(json.dumps(fields).encode()) == LETTER


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"{}", b'{"version": 2}', b'{"version": 1}'])
def test_anything_else_is_corrupt(body: bytes) -> None:
    with pytest.raises(Corrupt, match="dead letter"):
        parse(body)


@pytest.mark.parametrize(
    "change", [{"value": {"base64": "!"}}, {"key": "k"}, {"reason": "none"}, {"headers": [["a"]]}, {"headers": 1}]
)
def test_a_letter_that_was_spoiled_is_corrupt(change: dict[str, object]) -> None:
    with pytest.raises(Corrupt, match="not a dead letter"):
        parse(json.dumps(json.loads(encode(LETTER)) | change).encode())
