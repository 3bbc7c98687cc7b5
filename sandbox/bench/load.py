"""The records of the benchmark."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Final

from sandbox.demo.logins import generate
from sandbox.demo.records import LoginRow

SAMPLE: Final = 5000
SMALLEST: Final[dict[str, Any]] = {
    "user_id": "u", "app_version": "1.0", "ip": "10.0.0.1", "locale": "DE", "device_id": "d",
    "timestamp": 1_772_474_400,
}  # fmt: skip
FLAWED: Final = (b'{"user_id": "user-0001', b'{"user_id": "user-0001"}')  # cut off, incomplete


@dataclass(frozen=True, slots=True)
class Load:
    """`count` logins, of one user each if `unique`, else of 200. An unknown field fills them to `size` bytes."""

    count: int
    unique: bool = False
    rejects: float = 0.0
    size: int | None = None

    def values(self) -> list[bytes]:
        """Return the records' values; the same each time."""
        if self.size is not None:
            return [_sized(self.size)] * self.count
        logins = _unique(self.count) if self.unique else islice(cycle(_sample()), self.count)
        return list(_flawed(logins, self.rejects))


def _sample() -> list[bytes]:
    """Return valid logins of a seeded stream."""
    valid = (record.value for record in generate(SAMPLE, seed=1) if isinstance(record.expected, LoginRow))
    return [value for value in valid if value is not None]


def _unique(count: int) -> Iterator[bytes]:
    sample = [json.loads(value) for value in _sample()]
    for number in range(count):
        login = sample[number % len(sample)] | {"user_id": f"user-{number:08d}"}
        yield json.dumps(login, separators=(",", ":")).encode()


def _flawed(logins: Iterator[bytes], share: float) -> Iterator[bytes]:
    """Spoil this share of the logins, evenly: they are cut off, incomplete, or valid with a nonsensical version."""
    percent, flawed = round(share * 100), 0
    for number, login in enumerate(logins, 1):
        if number * percent // 100 == flawed:
            yield login
            continue
        flawed += 1
        kind = flawed % 3
        yield FLAWED[kind] if kind < len(FLAWED) else login.replace(b'"app_version":"', b'"app_version":"latest')


def _sized(size: int) -> bytes:
    smallest = json.dumps(SMALLEST, separators=(",", ":"))
    room = size - len(smallest) - len(',"padding":""')
    return (smallest if room < 0 else f'{smallest[:-1]},"padding":"{"x" * room}"}}').encode()
