"""Decoding: each record separately; reasons are helpful and contain no input."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dead_letter import Reason
from functions.core.decode import decode
from tests.unit.core.clicks import click, pipeline

PIPELINE = pipeline()


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"", Reason.UNDECODABLE, "EOF"),
        (b"{", Reason.UNDECODABLE, "EOF"),
        (b"\xff\xfe", Reason.UNDECODABLE, "expected value"),
        (b'{"user": "\xff", "at": 1}', Reason.UNDECODABLE, "invalid unicode"),
        (b"[" * 5000 + b"]" * 5000, Reason.UNDECODABLE, "recursion limit"),
        (b'{"user": "u", "at": 1} x', Reason.UNDECODABLE, "trailing characters"),
        (b"null", Reason.INVALID, "record: Input should be an object"),
        (b"[]", Reason.INVALID, "record: Input should be an object"),
        (b'{"user": "u"}', Reason.INVALID, "at: Field required"),
        (b'{"user": "u", "at": NaN}', Reason.INVALID, "at: Input should be a finite number"),
        (b'{"user": 7, "at": 1}', Reason.INVALID, "user: Input should be a valid string"),
    ],
)
def test_an_undecodable_record_is_rejected_with_its_reason(value: bytes, reason: Reason, detail: str) -> None:
    _, events, _, (rejection,) = decode(PIPELINE, [value])
    assert not events
    assert rejection.reason is reason
    assert detail in rejection.detail


def test_of_duplicate_keys_the_last_wins() -> None:
    _, (event,), _, _ = decode(PIPELINE, [b'{"user": "a", "user": "b", "at": 1}'])
    assert event.user == "b"


def test_values_cannot_swallow_their_neighbours() -> None:
    values = [b'{"user":"x","at":1},{"user":"y","at":2,"page":[{"a":1}', click("victim").encode(), b'{"b":2}]}']
    indexes, events, _, rejections = decode(PIPELINE, values)
    assert indexes == [1]
    assert [event.user for event in events] == ["victim"]
    assert [rejection.index for rejection in rejections] == [0, 2]


def test_a_reason_is_short_and_contains_no_input() -> None:
    many = pipeline(event=dict[str, int])
    value = json.dumps({f"key{n}": "hunter2" for n in range(9)}).encode()
    _, _, _, (rejection,) = decode(many, [value])
    assert "hunter2" not in rejection.detail
    assert rejection.detail.endswith("; and 4 more")


@given(st.lists(st.none() | st.binary(max_size=40) | st.just(click().encode()), max_size=20))
def test_every_record_has_exactly_one_result(values: list[bytes | None]) -> None:
    indexes, events, tombstones, rejections = decode(PIPELINE, values)
    assert len(events) == len(indexes)
    assert sorted([*indexes, *tombstones, *(rejection.index for rejection in rejections)]) == list(range(len(values)))
