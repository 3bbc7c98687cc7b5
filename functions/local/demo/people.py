"""Who logs in: people with a region, an address and a device; and how devices and versions are spelled."""

from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import Final, NamedTuple

PEOPLE: Final = 200
REGIONS: Final = ("US", "IN", "DE", "BR", "FR", "JP", "GB", "NG", "RU", "SE")
IPV6: Final = 0.2

# As it is spelled -> what it must become.
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
    """`ip` as it is spelled, `address` as it must be normalised."""

    user_id: str
    locale: str
    ip: str
    address: str
    device_id: str


def people(random: Random) -> tuple[Person, ...]:
    """The same people for the same state of `random`."""
    return tuple(_person(random, number) for number in range(PEOPLE))


def _person(random: Random, number: int) -> Person:
    if random.random() < IPV6:
        address = IPv6Address(0x20010DB8 << 96 | random.getrandbits(32))
        ip, normal = address.exploded.upper(), str(address)
    else:
        ip = normal = str(IPv4Address(random.randrange(0x0B000000, 0xDF000000)))
    device_id = f"{random.randrange(1000):03d}-{random.randrange(100):02d}-{random.randrange(10_000):04d}"
    return Person(f"user-{number:04d}", random.choice(REGIONS), ip, normal, device_id)
