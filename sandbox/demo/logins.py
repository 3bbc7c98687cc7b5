"""A stream of logins like that of a busy topic: skewed keys, careless spelling, late and invalid records.

Laws: the same seed and count give the same bytes. Of 100 records, 2 are invalid and 1 is a tombstone.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from itertools import accumulate
from random import Random
from typing import Any, Final, NamedTuple

from sandbox.demo.records import ExpectedLetter, Fate, Headers, LoginRow, Record

PEOPLE: Final = 200
REGIONS: Final = ("US", "IN", "DE", "BR", "FR", "JP", "GB", "NG", "RU", "SE")
IPV6: Final = 0.2

# Spelling -> expected value.
DEVICES: Final = (
    ("android", "android"), ("android", "android"), ("Android", "android"), (" ANDROID", "android"),
    ("ios", "ios"), ("iOS", "ios"), ("iPhone", "ios"), ("iPad", "ios"),
    ("web", "web"), ("browser", "web"),
    ("smart-tv", "other"),
)  # fmt: skip
VERSIONS: Final = (
    ("2.3.0", (2, 3, 0)), ("2.3.0", (2, 3, 0)), ("2.2.7", (2, 2, 7)), ("2.2", (2, 2, 0)),
    ("v2.3.1", (2, 3, 1)), ("1.14.02", (1, 14, 2)),
)  # fmt: skip


class Person(NamedTuple):
    """A user. `ip` is the spelling in a login, `address` the expected normalized form."""

    user_id: str
    locale: str
    ip: str
    address: str
    device_id: str


def people(random: Random, prefix: str) -> tuple[Person, ...]:
    """Return the users; the same for the same state of `random`."""
    return tuple(_person(random, user_id) for user_id in user_ids(prefix))


def user_ids(prefix: str = "") -> tuple[str, ...]:
    """Return the IDs of the users."""
    return tuple(f"{prefix}user-{number:04d}" for number in range(PEOPLE))


def _person(random: Random, user_id: str) -> Person:
    if random.random() < IPV6:
        address = IPv6Address(0x20010DB8 << 96 | random.getrandbits(32))
        ip, normal = address.exploded.upper(), str(address)
    else:
        ip = normal = str(IPv4Address(random.randrange(0x0B000000, 0xDF000000)))
    device_id = f"{random.randrange(1000):03d}-{random.randrange(100):02d}-{random.randrange(10_000):04d}"
    return Person(user_id, random.choice(REGIONS), ip, normal, device_id)


Login = dict[str, Any]


class Flaw(NamedTuple):
    """`spoil` turns a valid login into bytes that must become a dead letter with this reason."""

    name: str
    reason: str
    spoil: Callable[[Login], bytes]


def _bytes(login: Any) -> bytes:  # noqa: ANN401 - anything that json encodes
    return json.dumps(login, separators=(",", ":")).encode()


def _with(field: str, value: object) -> Callable[[Login], bytes]:
    return lambda login: _bytes(login | {field: value})


def _without(field: str) -> Callable[[Login], bytes]:
    return lambda login: _bytes({name: value for name, value in login.items() if name != field})


DEEP: Final = b"[" * 2_000 + b"]" * 2_000

# Not JSON at all.
UNDECODABLE: Final[dict[str, Callable[[Login], bytes]]] = {
    "plain text": lambda login: f"login {login['user_id']} ok".encode(),
    "cut off": lambda login: _bytes(login)[:-20],
    "invalid UTF-8": lambda login: _bytes(login).replace(b"user-", b"us\xffr-"),
    "empty value": lambda _: b"",
    "deep JSON": lambda _: DEEP,
    "two in one": lambda login: _bytes(login) * 2,
    "half a surrogate": lambda login: _bytes(login | {"device_id": "\ud83d"}),
}
# JSON, but not a login.
INVALID: Final[dict[str, Callable[[Login], bytes]]] = {
    "no user": _without("user_id"),
    "no timestamp": _without("timestamp"),
    "blank user": _with("user_id", "   "),
    "endless user": _with("user_id", "u" * 200),
    "number for user": _with("user_id", 42),
    "object for ip": _with("ip", {"v4": "10.0.0.1"}),
    "word for timestamp": _with("timestamp", "yesterday"),
    "NaN": _with("timestamp", float("nan")),
    "infinity": _with("timestamp", float("inf")),
    "a list": lambda login: _bytes([login]),
    "null": lambda _: b"null",
}
# A login, but nonsense.
REJECTED: Final[dict[str, Callable[[Login], bytes]]] = {
    "version": _with("app_version", "latest"),
    "locale": _with("locale", "Germany"),
    "ip": _with("ip", "300.1.1.1"),
    "milliseconds": lambda login: _bytes(login | {"timestamp": login["timestamp"] * 1000}),
    "1970": _with("timestamp", 0),
    "huge int": _with("timestamp", 10**40),
}

FLAWS: Final = tuple(
    Flaw(name, reason, spoil)
    for reason, flaws in (("undecodable", UNDECODABLE), ("invalid", INVALID), ("rejected", REJECTED))
    for name, spoil in flaws.items()
)


BEGIN: Final = int(datetime(2026, 3, 2, 18, 0, tzinfo=UTC).timestamp())
PER_MINUTE: Final = 5_000  # records a minute of event time, within the bounds below
MINUTES: Final = (5, 40)
INVALID_SHARE: Final = 0.02
TOMBSTONE_SHARE: Final = 0.01
UNKNOWN_DEVICE_SHARE: Final = 0.10
LATE_SHARE: Final = 0.02
LATE_SECONDS: Final = (30, 240)
KEYLESS_SHARE: Final = 0.01
HEADERS_SHARE: Final = 0.05
NO_DEVICE: Final[tuple[dict[str, Any], ...]] = ({}, {"device_type": None}, {"device_type": ""}, {"device_type": "  "})


def generate(count: int, seed: int, begin: int = BEGIN, prefix: str = "") -> Iterator[Record]:
    """Yield `count` records, each with its expected result.

    The time of events begins at `begin`, in Unix seconds. The users' IDs begin with `prefix`.
    """
    stream = _Stream(Random(f"{seed}/{count}"), prefix)  # noqa: S311 - reproducible on purpose
    minutes = min(max(count // PER_MINUTE, MINUTES[0]), MINUTES[1])
    for number in range(count):
        yield stream.record(begin + number * minutes * 60 // count)


@dataclass(slots=True)
class _Stream:
    random: Random
    prefix: str
    crowd: tuple[Person, ...] = ()
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        self.crowd = people(self.random, self.prefix)
        self.weights = tuple(accumulate(1 / rank for rank in range(1, len(self.crowd) + 1)))  # Zipf's law

    def record(self, now: int) -> Record:
        """Return a record of about this time, in Unix seconds."""
        random = self.random
        (person,) = random.choices(self.crowd, cum_weights=self.weights)
        key = None if random.random() < KEYLESS_SHARE else person.user_id.encode()
        kind = random.random()
        if kind < TOMBSTONE_SHARE:
            return Record(person.user_id.encode(), None, self.headers(), Fate.DROP)
        login, row = self.login(person, now)
        if kind < TOMBSTONE_SHARE + INVALID_SHARE:
            flaw = random.choice(FLAWS)
            return Record(key, flaw.spoil(login), self.headers(), ExpectedLetter(flaw.reason))
        return Record(key, json.dumps(login, separators=(",", ":")).encode(), self.headers(), row)

    def login(self, person: Person, now: int) -> tuple[dict[str, Any], LoginRow]:
        """Return a valid login with careless spelling, and its expected row."""
        random = self.random
        late = random.randint(*LATE_SECONDS) if random.random() < LATE_SHARE else 0
        version, numbers = random.choice(VERSIONS)
        spelled, device = random.choice(DEVICES)
        unknown = random.random() < UNKNOWN_DEVICE_SHARE
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
        return login, LoginRow(
            person.user_id, *numbers, named, person.address, person.locale, person.device_id, now - late
        )

    def headers(self) -> Headers:
        """Return headers, for some records: text, empty, and bytes above 127, which a Lambda event has as negatives."""
        random = self.random
        if random.random() >= HEADERS_SHARE:
            return ()
        return (("trace", random.randbytes(8).hex().encode()), ("empty", b""), ("raw", b"\x00\x7f\x80\xff"))
