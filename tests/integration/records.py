"""Logins to produce, each with its expected result, which follows from its construction and not from the pipeline."""

import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any, Final, NamedTuple

from sandbox.demo.logins import FLAWS

BEGIN: Final = 1_767_225_600  # Unix seconds: 2026-01-01
USERS: Final = 12  # few, because the emulator needs milliseconds for each row of a table
DEVICES: Final[tuple[dict[str, str | None], ...]] = (
    {"device_type": "iPhone"},
    {"device_type": " ANDROID"},
    {"device_type": None},
    {},
)
DEVICE_TYPES: Final = ("ios", "android", "unknown", "unknown")

Headers = tuple[tuple[str, bytes | None], ...]


class ExpectedRow(NamedTuple):
    """The expected fields of a row; `at` is in Unix seconds."""

    user_id: str
    device_type: str
    at: int


class ProducedRecord(NamedTuple):
    """`outcome`: a row, the reason of a dead letter, or None for a drop; `kept` headers are those of its letter."""

    value: bytes | None
    outcome: ExpectedRow | str | None
    key: bytes | None = None
    headers: Headers = ()
    kept: Headers | None = None  # None: all of them


def fields(number: int) -> dict[str, Any]:
    """Return the fields of a valid login."""
    return {
        "user_id": f"user-{number % USERS}",
        "app_version": "2.3.0",
        **DEVICES[number % len(DEVICES)],
        "ip": "199.172.111.135",
        "locale": "ru",
        "device_id": f"device-{number % USERS}",
        "timestamp": BEGIN + number,
    }


def login(number: int, **other: object) -> ProducedRecord:
    """Return a valid login; `other` fields must not change the row."""
    given = fields(number)
    row = ExpectedRow(given["user_id"], DEVICE_TYPES[number % len(DEVICES)], given["timestamp"])
    return ProducedRecord(json.dumps(given | other).encode(), row, given["user_id"].encode())


def logins(count: int, begin: int = 0) -> list[ProducedRecord]:
    """Return valid logins."""
    return [login(number) for number in range(begin, begin + count)]


def mixture(count: int) -> Iterator[ProducedRecord]:
    """Yield records: of 10 one is wrong, in each known way in turn, and one a tombstone, keyless or with headers."""
    flaws = cycle(FLAWS)
    for number in range(count):
        good = login(number)
        match number % 30:
            case 3 | 13 | 23:
                flaw = next(flaws)
                yield ProducedRecord(
                    flaw.spoil(fields(number)), flaw.reason, good.key, (("trace", b"\x00\x7f\x80\xff"),)
                )
            case 7:
                yield ProducedRecord(None, None, good.key)
            case 17:
                yield good._replace(key=None)
            case 27:
                yield good._replace(headers=(("trace", b"1"), ("empty", None), ("trace", b"2")))
            case _:
                yield good
