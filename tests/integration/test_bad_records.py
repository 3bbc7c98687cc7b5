"""The worst records, on both runtimes: each becomes one row, one dead letter or one drop, and stops nothing."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from functions.pipelines.logins import PIPELINE
from sandbox.broker.apache import Apache
from tests.integration import wire
from tests.integration.accounting import account
from tests.integration.records import ExpectedRow, ProducedRecord, fields, login, logins
from tests.integration.stage import Stage

MEGABYTE: Final = 1_000_000  # a broker's default limit of a record, without its envelope
UNDECODABLE, INVALID, REJECTED = "undecodable", "invalid", "rejected"


def spoiled(**other: object) -> bytes:
    return json.dumps(fields(0) | other).encode()


def raw(field: str, text: str) -> bytes:
    """Return a login whose `field` is this JSON text, which no encoder would write."""
    return spoiled(**{field: "@"}).replace(b'"@"', text.encode())


def nested(open_: str, close: str, depth: int) -> bytes:
    return raw("user_id", open_ * depth + close * depth)


GOOD: Final = login(0)
WORST: Final[dict[str, ProducedRecord]] = {
    "empty value": ProducedRecord(b"", UNDECODABLE),
    "tombstone": ProducedRecord(None, None, b"user-1"),
    "tombstone without a key": ProducedRecord(None, None),
    "missing key": GOOD._replace(key=None),
    "empty key": GOOD._replace(key=b""),
    "key that is no text": GOOD._replace(key=b"\xff\xfe"),
    "key of 3 KB": GOOD._replace(key=b"k" * 3000),
    "invalid UTF-8": ProducedRecord(spoiled().replace(b"user-0", b"\xc3\x28"), UNDECODABLE),
    "UTF-16": ProducedRecord(spoiled().decode().encode("utf-16"), UNDECODABLE),
    "byte order mark": ProducedRecord(b"\xef\xbb\xbf" + spoiled(), UNDECODABLE),
    "NUL bytes": ProducedRecord(b"\0" * 100, UNDECODABLE),
    "1 MB of nothing": ProducedRecord(b" " * MEGABYTE, UNDECODABLE),
    "1 MB of noise": ProducedRecord(bytes(range(256)) * (MEGABYTE // 256), UNDECODABLE),
    "1 MB that a login does not need": login(0, note="x" * (MEGABYTE - 1000)),
    "1 MB of user": ProducedRecord(spoiled(user_id="x" * (MEGABYTE - 1000)), INVALID),
    "1 MB of version": ProducedRecord(spoiled(app_version="1" * (MEGABYTE - 1000)), REJECTED),
    "1 MB of address": ProducedRecord(spoiled(ip="1" * (MEGABYTE - 1000)), REJECTED),
    "deep list": ProducedRecord(b"[" * 100_000 + b"]" * 100_000, UNDECODABLE),
    "deep field": ProducedRecord(nested("[", "]", 100_000), UNDECODABLE),
    "deep object": ProducedRecord(nested('{"a":', "}", 100_000), UNDECODABLE),
    "deep and never closed": ProducedRecord(b"[" * 900_000, UNDECODABLE),
    "NaN": ProducedRecord(raw("timestamp", "NaN"), INVALID),
    "minus infinity": ProducedRecord(raw("timestamp", "-Infinity"), INVALID),
    "number beyond floats": ProducedRecord(raw("timestamp", "1e999"), INVALID),
    "huge int": ProducedRecord(raw("timestamp", "9" * 40), REJECTED),
    "int of 5,000 digits": ProducedRecord(raw("timestamp", "9" * 5000), UNDECODABLE),
    "int of 64 bits and one": ProducedRecord(raw("timestamp", str(2**64)), REJECTED),
    "fraction of a second": ProducedRecord(raw("timestamp", "1767225600.5"), INVALID),
    "duplicate keys, the last one good": GOOD._replace(value=spoiled().replace(b"{", b'{"user_id": 7, ', 1)),
    "duplicate keys, the last one bad": ProducedRecord(spoiled().replace(b"}", b', "user_id": 7}'), INVALID),
    "half a surrogate": ProducedRecord(raw("device_id", r'"\ud83d"'), UNDECODABLE),
    "NUL in a text": ProducedRecord(raw("user_id", r'"a\u0000b"'), ExpectedRow("a\0b", "ios", fields(0)["timestamp"])),
    "emoji": ProducedRecord(raw("user_id", '"\U0001f480"'), ExpectedRow("\U0001f480", "ios", fields(0)["timestamp"])),
    "a number": ProducedRecord(b"1", INVALID),
    "null": ProducedRecord(b"null", INVALID),
    "a text": ProducedRecord(b'"login"', INVALID),
    "a list of logins": ProducedRecord(b"[" + spoiled() + b"]", INVALID),
    "two logins": ProducedRecord(spoiled() * 2, UNDECODABLE),
    "true for a number": ProducedRecord(spoiled(timestamp=True), REJECTED),
    "list for a text": ProducedRecord(spoiled(locale=["d", "e"]), INVALID),
    "null for a text": ProducedRecord(spoiled(ip=None), INVALID),
    "empty user": ProducedRecord(spoiled(user_id=""), INVALID),
    "blank user": ProducedRecord(spoiled(user_id=" \t "), INVALID),
    "3 KB of user": ProducedRecord(spoiled(user_id="u" * 3000), INVALID),
    "3 KB of user and key": ProducedRecord(spoiled(user_id="u" * 3000), INVALID, b"u" * 3000),
    "digits of another script": ProducedRecord(spoiled(app_version="\u0661.\u0662.\u0663"), REJECTED),
    "10,000 fields": login(0, **{f"field-{number}": number for number in range(10_000)}),
    "10,000 headers": GOOD._replace(headers=tuple((f"h{number}", b"\x80" * 10) for number in range(10_000))),
    "10,000 headers on a bad one": ProducedRecord(
        b"{",
        UNDECODABLE,
        headers=(("same", None),) * 10_000,
        kept=((("same", None),) * 100 + (("tandem-omitted-headers", b"and 9900 more"),)),
    ),
    "header without a name": ProducedRecord(b"{", UNDECODABLE, headers=(("", b""), ("", None))),
    "900 KB of header": ProducedRecord(
        b"{",
        UNDECODABLE,
        headers=(("h", b"\xff" * 900_000),),
        kept=(("tandem-omitted-headers", b"and 1 more"),),
    ),
    "header with a name in many scripts": ProducedRecord(
        b"{", UNDECODABLE, headers=(("n\u00e4\u540d\U0001f480", b"1"),)
    ),
}


def by_msk(stage: Stage) -> None:
    with stage.event_source(variables={"TANDEM_FLOOD_RATIO": "1"}) as source:
        stage.settle(source)
    assert source.stats.failures == 0, stage.state()


def by_worker(stage: Stage) -> None:
    with stage.worker(TANDEM_FLOOD_RATIO="1") as worker:
        stage.settle(worker)
        assert worker.metric("retries_total") == worker.metric("stops_total") == 0, worker.tail()


@pytest.mark.parametrize("runtime", [by_msk, by_worker])
def test_the_worst_records_are_each_accounted_for_and_stop_nothing(
    stage: Stage, runtime: Callable[[Stage], Any]
) -> None:
    stage.produce([*WORST.values(), *logins(20, begin=100)])
    runtime(stage)
    account(stage.produced, stage.found())


def test_a_header_whose_name_is_no_text_does_not_stop_the_worker(stage: Stage, real: Apache) -> None:
    bad, good, unreadable = ProducedRecord(b"{", UNDECODABLE), login(0), (("tandem-unreadable-headers", None),)
    for offset, record in enumerate([bad, good, bad]):
        assert record.value is not None
        wire.produce(real.bootstrap, PIPELINE.topic, 0, record.value, b"na\xffme")
        stage.produced[0, offset] = record._replace(key=None, headers=unreadable)
    stage.produce(logins(3, begin=10), partition=0)
    by_worker(stage)
    account(stage.produced, stage.found())
