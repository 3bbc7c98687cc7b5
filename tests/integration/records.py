"""Logins to produce, each with what must become of it: known from how it was made, not from running the pipeline."""

import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any, Final, NamedTuple

from functions.local.demo.flaws import FLAWS

BEGIN: Final = 1_767_225_600  # Unix seconds: 2026-01-01
USERS: Final = 12  # few, because the emulator takes some milliseconds for each row of a table
DEVICES: Final[tuple[dict[str, str | None], ...]] = (
    {"device_type": "iPhone"},
    {"device_type": " ANDROID"},
    {"device_type": None},
    {},
)
DEVICE_TYPES: Final = ("ios", "android", "unknown", "unknown")

Headers = tuple[tuple[str, bytes | None], ...]


class Row(NamedTuple):
    """What a row must say; `at` in Unix seconds."""

    user_id: str
    device_type: str
    at: int


class Record(NamedTuple):
    """`outcome`: a row, the reason of a dead letter, or None for a drop."""

    value: bytes | None
    outcome: Row | str | None
    key: bytes | None = None
    headers: Headers = ()


def fields(number: int) -> dict[str, Any]:
    """A valid login, as JSON has it."""
    return {
        "user_id": f"user-{number % USERS}",
        "app_version": "2.3.0",
        **DEVICES[number % len(DEVICES)],
        "ip": "199.172.111.135",
        "locale": "ru",
        "device_id": f"device-{number % USERS}",
        "timestamp": BEGIN + number,
    }


def login(number: int, **other: object) -> Record:
    """A valid login; `other` fields must not change the row."""
    given = fields(number)
    row = Row(given["user_id"], DEVICE_TYPES[number % len(DEVICES)], given["timestamp"])
    return Record(json.dumps(given | other).encode(), row, given["user_id"].encode())


def logins(count: int, begin: int = 0) -> list[Record]:
    """Valid ones only."""
    return [login(number) for number in range(begin, begin + count)]


def mixture(count: int) -> Iterator[Record]:
    """Of 10 records one is wrong, in every known way by turns, and one is a tombstone, keyless or has headers."""
    flaws = cycle(FLAWS)
    for number in range(count):
        good = login(number)
        match number % 30:
            case 3 | 13 | 23:
                flaw = next(flaws)
                yield Record(flaw.spoil(fields(number)), flaw.reason, good.key, (("trace", b"\x00\x7f\x80\xff"),))
            case 7:
                yield Record(None, None, good.key)
            case 17:
                yield good._replace(key=None)
            case 27:
                yield good._replace(headers=(("trace", b"1"), ("empty", None), ("trace", b"2")))
            case _:
                yield good
