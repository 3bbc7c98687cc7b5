"""Batches that the mapping gave up on, as AWS documents their objects."""

import json
from base64 import b64encode
from typing import Any

import pytest

from functions.core.ports import Gap
from functions.operate.desk import Desk
from functions.operate.given_up import GivenUp
from functions.operate.place import Place
from functions.operate.records import Lost
from functions.operate.resend import Choice, resend
from tests.unit.operate.world import TOPIC, records, settle


def record(offset: int, partition: int = 1, topic: str = TOPIC) -> dict[str, Any]:
    return {
        "topic": topic, "partition": partition, "offset": offset, "timestamp": 1, "timestampType": "CREATE_TIME",
        "key": b64encode(b"k").decode(), "value": b64encode(b"%d" % offset).decode(), "headers": [{"h": [-128]}],
    }  # fmt: skip


def put(desk: Desk, name: str, *given: dict[str, Any], escaped: bool = True) -> None:
    event: Any = {"eventSource": "aws:kafka", "records": {f"{TOPIC}-1": list(given)}}
    body: dict[str, Any] = {"version": "1.0", "KafkaBatchInfo": {}, "payload": json.dumps(event) if escaped else event}
    key = f"aws/lambda/0b7f/{TOPIC}-1/2026/11/23/{name}"
    desk.s3.put_object(Bucket=desk.settings.dead_letter_bucket, Key=key, Body=json.dumps(body).encode())


def given_up(desk: Desk, *gaps: Gap) -> GivenUp:
    return GivenUp(desk.s3, desk.settings.dead_letter_bucket, TOPIC, {1: gaps})


def test_only_what_lies_in_a_gap_counts(desk: Desk) -> None:
    put(desk, "a", *(record(offset) for offset in range(10)))
    put(desk, "b", *(record(offset) for offset in range(10, 20)), escaped=False)
    put(desk, "c", record(3, topic="other"))
    source = given_up(desk, Gap(2, 3), Gap(9, 10))
    assert [place.offset for place in source.places()] == [2, 3, 9, 10]
    wanted = [Place(TOPIC, 1, 10), Place(TOPIC, 1, 2)]
    assert source.read(wanted) == [
        Lost(wanted[0], b"k", b"10", [("h", b"\x80")]), Lost(wanted[1], b"k", b"2", [("h", b"\x80")]),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"{}", b'{"payload": null}', b'{"payload": "x"}', b'{"payload": "{}"}', b"[]"])
def test_an_object_without_an_event_is_named(desk: Desk, body: bytes) -> None:
    desk.s3.put_object(Bucket=desk.settings.dead_letter_bucket, Key="aws/lambda/x", Body=body)
    source = given_up(desk, Gap(0, 9))
    assert list(source.places()) == []
    assert source.unreadable == ["aws/lambda/x"]


def test_they_are_redriven_once(desk: Desk) -> None:
    settle(desk, 1, 10, gap=Gap(4, 5))
    put(desk, "a", *(record(offset) for offset in range(10)))
    desk.s3.put_object(Bucket=desk.settings.dead_letter_bucket, Key="aws/lambda/x", Body=b"{}")
    said: list[str] = []
    resend(desk, Choice(given_up=True), said.append)
    assert said[0] == "would send 2 records to user-login; --go sends them"
    assert said[1].endswith("/aws/lambda/x: holds no event, left out")
    for _ in range(2):
        resend(desk, Choice(given_up=True, go=True), said.append)
    assert [(partition, value) for partition, _, value, _ in records(desk)] == [(1, b"4"), (1, b"5")]
    assert said[-1] == "sent 0 records to user-login"
