"""Batches that the mapping gave up on, as AWS documents their objects."""

import json
from base64 import b64encode
from typing import Any

import pytest

from functions.core.intent import Gap
from functions.core.record_place import RecordPlace
from functions.operate.redrive.given_up import GivenUpRecords
from functions.operate.redrive.records import LostRecord
from functions.operate.redrive.run import RedriveRequest, run
from functions.operate.terminal import Terminal
from tests.unit.operate.world import TOPIC, Output, World


def record(offset: int, partition: int = 1, topic: str = TOPIC) -> dict[str, Any]:
    return {
        "topic": topic, "partition": partition, "offset": offset, "timestamp": 1, "timestampType": "CREATE_TIME",
        "key": b64encode(b"k").decode(), "value": b64encode(b"%d" % offset).decode(), "headers": [{"h": [-128]}],
    }  # fmt: skip


def put(world: World, name: str, *records: dict[str, Any], escaped: bool = True) -> None:
    event: Any = {"eventSource": "aws:kafka", "records": {f"{TOPIC}-1": list(records)}}
    body: dict[str, Any] = {"version": "1.0", "KafkaBatchInfo": {}, "payload": json.dumps(event) if escaped else event}
    world.discarded.objects[f"aws/lambda/0b7f/{TOPIC}-1/2026/11/23/{name}"] = json.dumps(body).encode()


def given_up(world: World, *gaps: Gap) -> GivenUpRecords:
    return GivenUpRecords(world.discarded, TOPIC, {1: gaps})


def test_only_what_lies_in_a_gap_counts(world: World) -> None:
    put(world, "a", *(record(offset) for offset in range(10)))
    put(world, "b", *(record(offset) for offset in range(10, 20)), escaped=False)
    put(world, "c", record(3, topic="other"))
    records = given_up(world, Gap(2, 3), Gap(9, 10))
    assert [place.offset for place in records.places()] == [2, 3, 9, 10]
    wanted = [RecordPlace(TOPIC, 1, 10), RecordPlace(TOPIC, 1, 2)]
    assert records.read(wanted) == [
        LostRecord(wanted[0], b"k", b"10", [("h", b"\x80")]), LostRecord(wanted[1], b"k", b"2", [("h", b"\x80")]),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"{}", b'{"payload": null}', b'{"payload": "x"}', b'{"payload": "{}"}', b"[]"])
def test_an_object_without_an_event_is_named(world: World, body: bytes) -> None:
    world.discarded.objects["aws/lambda/x"] = body
    records = given_up(world, Gap(0, 9))
    assert list(records.places()) == []
    assert records.unreadable == ["aws/lambda/x"]


def test_they_are_redriven_once(world: World) -> None:
    world.settle(1, 10, gap=Gap(4, 5))
    put(world, "a", *(record(offset) for offset in range(10)))
    world.discarded.objects["aws/lambda/x"] = b"{}"
    output = Output()
    run(world.context, RedriveRequest(given_up=True), Terminal(output))
    assert output.lines == [
        "would send 2 records to user-login; add --execute to send them",
        "aws/lambda/x in the dead letter bucket contains no event: left out",
    ]
    for _ in range(2):
        run(world.context, RedriveRequest(given_up=True, execute=True), Terminal(output))
    assert [(partition, value) for partition, _, value, _ in world.sent()] == [(1, b"4"), (1, b"5")]
    assert output.lines[-1] == "sent 0 records to user-login"
