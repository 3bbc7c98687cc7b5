"""A stream of logins as a busy topic sees them: skewed, sloppy, sometimes late, sometimes nonsense.

Laws: the same seed and count give the same bytes. Of 100 records, 2 are invalid and 1 is a tombstone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Any, Final

from functions.local.demo.flaws import FLAWS
from functions.local.demo.people import DEVICES, VERSIONS, Person, people
from functions.local.demo.record import Fate, Headers, Letter, Record, Row

BEGIN: Final = int(datetime(2026, 3, 2, 18, 0, tzinfo=UTC).timestamp())
PER_MINUTE: Final = 5_000  # records a minute of event time, within the bounds below
MINUTES: Final = (5, 40)
INVALID: Final = 0.02
TOMBSTONES: Final = 0.01
UNKNOWN_DEVICE: Final = 0.10
LATE: Final = 0.02
LATE_SECONDS: Final = (30, 240)
KEYLESS: Final = 0.01
HEADERS: Final = 0.05
NO_DEVICE: Final[tuple[dict[str, Any], ...]] = ({}, {"device_type": None}, {"device_type": ""}, {"device_type": "  "})


def generate(count: int, seed: int) -> Iterator[Record]:
    """Yield `count` records."""
    stream = _Stream(Random(f"{seed}/{count}"))  # noqa: S311 - reproducible on purpose
    minutes = min(max(count // PER_MINUTE, MINUTES[0]), MINUTES[1])
    for number in range(count):
        yield stream.record(BEGIN + number * minutes * 60 // count)


@dataclass(slots=True)
class _Stream:
    random: Random
    crowd: tuple[Person, ...] = ()
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        self.crowd = people(self.random)
        self.weights = tuple(accumulate(1 / rank for rank in range(1, len(self.crowd) + 1)))  # Zipf's law

    def record(self, now: int) -> Record:
        """One record of about this time, in Unix seconds."""
        random = self.random
        (person,) = random.choices(self.crowd, cum_weights=self.weights)
        key = None if random.random() < KEYLESS else person.user_id.encode()
        kind = random.random()
        if kind < TOMBSTONES:
            return Record(person.user_id.encode(), None, self.headers(), Fate.DROP)
        login, row = self.login(person, now)
        if kind < TOMBSTONES + INVALID:
            flaw = random.choice(FLAWS)
            return Record(key, flaw.spoil(login), self.headers(), Letter(flaw.reason))
        return Record(key, json.dumps(login, separators=(",", ":")).encode(), self.headers(), row)

    def login(self, person: Person, now: int) -> tuple[dict[str, Any], Row]:
        """A valid login, spelled carelessly, and the row it must become."""
        random = self.random
        late = random.randint(*LATE_SECONDS) if random.random() < LATE else 0
        version, numbers = random.choice(VERSIONS)
        spelled, device = random.choice(DEVICES)
        unknown = random.random() < UNKNOWN_DEVICE
        login = {
            "user_id": person.user_id if random.random() < 0.98 else f" {person.user_id} ",  # noqa: PLR2004
            "app_version": version,
            **(random.choice(NO_DEVICE) if unknown else {"device_type": spelled}),
            "ip": person.ip,
            "locale": person.locale.lower() if random.random() < 0.1 else person.locale,  # noqa: PLR2004
            "device_id": person.device_id,
            "timestamp": now - late,
        }
        named = "unknown" if unknown else device
        return login, Row(person.user_id, *numbers, named, person.address, person.locale, person.device_id, now - late)

    def headers(self) -> Headers:
        """On some: text, nothing, and bytes above 127, which Lambda's events show as negative numbers."""
        random = self.random
        if random.random() >= HEADERS:
            return ()
        return (("trace", random.randbytes(8).hex().encode()), ("empty", b""), ("raw", b"\x00\x7f\x80\xff"))
