"""The worst records, through both runtimes: each becomes one row, one dead letter or one drop, and stops nothing."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from functions.local.broker.apache import Apache
from functions.pipelines.logins import PIPELINE
from tests.integration import wire
from tests.integration.accounting import account
from tests.integration.records import Record, Row, fields, login, logins
from tests.integration.stage import Stage

MEGABYTE: Final = 1_000_000  # as much as Kafka's brokers take in a record, but for its envelope
UNDECODABLE, INVALID, REJECTED = "undecodable", "invalid", "rejected"


def spoiled(**other: object) -> bytes:
    return json.dumps(fields(0) | other).encode()


def raw(field: str, text: str) -> bytes:
    """A login whose `field` is this JSON text, which no encoder would write."""
    return spoiled(**{field: "@"}).replace(b'"@"', text.encode())


def nested(open_: str, close: str, depth: int) -> bytes:
    return raw("user_id", open_ * depth + close * depth)


GOOD: Final = login(0)
WORST: Final[dict[str, Record]] = {
    "empty value": Record(b"", UNDECODABLE),
    "tombstone": Record(None, None, b"user-1"),
    "tombstone without a key": Record(None, None),
    "missing key": GOOD._replace(key=None),
    "empty key": GOOD._replace(key=b""),
    "key that is no text": GOOD._replace(key=b"\xff\xfe"),
    "key of 3 KB": GOOD._replace(key=b"k" * 3000),
    "invalid UTF-8": Record(spoiled().replace(b"user-0", b"\xc3\x28"), UNDECODABLE),
    "UTF-16": Record(spoiled().decode().encode("utf-16"), UNDECODABLE),
    "byte order mark": Record(b"\xef\xbb\xbf" + spoiled(), UNDECODABLE),
    "NUL bytes": Record(b"\0" * 100, UNDECODABLE),
    "1 MB of nothing": Record(b" " * MEGABYTE, UNDECODABLE),
    "1 MB of noise": Record(bytes(range(256)) * (MEGABYTE // 256), UNDECODABLE),
    "1 MB that a login does not need": login(0, note="x" * (MEGABYTE - 1000)),
    "1 MB of user": Record(spoiled(user_id="x" * (MEGABYTE - 1000)), INVALID),
    "1 MB of version": Record(spoiled(app_version="1" * (MEGABYTE - 1000)), REJECTED),
    "1 MB of address": Record(spoiled(ip="1" * (MEGABYTE - 1000)), REJECTED),
    "deep list": Record(b"[" * 100_000 + b"]" * 100_000, UNDECODABLE),
    "deep field": Record(nested("[", "]", 100_000), UNDECODABLE),
    "deep object": Record(nested('{"a":', "}", 100_000), UNDECODABLE),
    "deep and never closed": Record(b"[" * 900_000, UNDECODABLE),
    "NaN": Record(raw("timestamp", "NaN"), INVALID),
    "minus infinity": Record(raw("timestamp", "-Infinity"), INVALID),
    "number beyond floats": Record(raw("timestamp", "1e999"), INVALID),
    "huge int": Record(raw("timestamp", "9" * 40), REJECTED),
    "int of 5,000 digits": Record(raw("timestamp", "9" * 5000), UNDECODABLE),
    "int of 64 bits and one": Record(raw("timestamp", str(2**64)), REJECTED),
    "fraction of a second": Record(raw("timestamp", "1767225600.5"), INVALID),
    "duplicate keys, the last one good": GOOD._replace(value=spoiled().replace(b"{", b'{"user_id": 7, ', 1)),
    "duplicate keys, the last one bad": Record(spoiled().replace(b"}", b', "user_id": 7}'), INVALID),
    "half a surrogate": Record(raw("device_id", r'"\ud83d"'), UNDECODABLE),
    "NUL in a text": Record(raw("user_id", r'"a\u0000b"'), Row("a\0b", "ios", fields(0)["timestamp"])),
    "emoji": Record(raw("user_id", '"\U0001f480"'), Row("\U0001f480", "ios", fields(0)["timestamp"])),
    "a number": Record(b"1", INVALID),
    "null": Record(b"null", INVALID),
    "a text": Record(b'"login"', INVALID),
    "a list of logins": Record(b"[" + spoiled() + b"]", INVALID),
    "two logins": Record(spoiled() * 2, UNDECODABLE),
    "true for a number": Record(spoiled(timestamp=True), REJECTED),
    "list for a text": Record(spoiled(locale=["d", "e"]), INVALID),
    "null for a text": Record(spoiled(ip=None), INVALID),
    "empty user": Record(spoiled(user_id=""), INVALID),
    "blank user": Record(spoiled(user_id=" \t "), INVALID),
    "3 KB of user": Record(spoiled(user_id="u" * 3000), INVALID),
    "3 KB of user and key": Record(spoiled(user_id="u" * 3000), INVALID, b"u" * 3000),
    "digits of another script": Record(spoiled(app_version="\u0661.\u0662.\u0663"), REJECTED),
    "10,000 fields": login(0, **{f"field-{number}": number for number in range(10_000)}),
    "10,000 headers": GOOD._replace(headers=tuple((f"h{number}", b"\x80" * 10) for number in range(10_000))),
    "10,000 headers on a bad one": Record(b"{", UNDECODABLE, headers=(("same", None),) * 10_000),
    "header without a name": Record(b"{", UNDECODABLE, headers=(("", b""), ("", None))),
    "900 KB of header": Record(b"{", UNDECODABLE, headers=(("h", b"\xff" * 900_000),)),
    "header with a name in many scripts": Record(b"{", UNDECODABLE, headers=(("n\u00e4\u540d\U0001f480", b"1"),)),
}


def by_msk(stage: Stage) -> None:
    with stage.event_source(variables={"TANDEM_FLOOD_RATIO": "1"}) as source:
        stage.settle(source)
    assert source.stats.failures == 0, stage.state()


def by_worker(stage: Stage) -> None:
    with stage.worker(TANDEM_FLOOD_RATIO="1") as worker:
        stage.settle(worker)
        assert worker.metric("retries_total") == worker.metric("stops_total") == 0, worker.said()


@pytest.mark.parametrize("runtime", [by_msk, by_worker])
def test_the_worst_records_are_each_accounted_for_and_stop_nothing(
    stage: Stage, runtime: Callable[[Stage], Any]
) -> None:
    stage.produce([*WORST.values(), *logins(20, begin=100)])
    runtime(stage)
    account(stage.produced, stage.found())


def test_a_header_whose_name_is_no_text_does_not_stop_the_worker(stage: Stage, real: Apache) -> None:
    bad, good, unreadable = Record(b"{", UNDECODABLE), login(0), (("tandem-unreadable-headers", None),)
    for offset, record in enumerate([bad, good, bad]):
        assert record.value is not None
        wire.produce(real.bootstrap, PIPELINE.topic, 0, record.value, b"na\xffme")
        stage.produced[0, offset] = record._replace(key=None, headers=unreadable)
    stage.produce(logins(3, begin=10), partition=0)
    by_worker(stage)
    account(stage.produced, stage.found())
