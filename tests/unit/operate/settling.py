"""Settling on the stores of a stage in memory, to see what an operator's verb changes."""

from dataclasses import replace
from typing import Any, Final

from functions.core.ports import Stores
from functions.core.settle import Settler
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE
from tests.unit.operate.world import MASK_KEY, TOPIC, World

NEWEST: Final = 1_795_431_600_000  # ms: an hour before the clock of the stage
MINUTE_MS: Final = 60_000
BAD: Final = b"{"


def login(number: int) -> bytes:
    """Return the value of a login; its minute and device derive from the number."""
    device = ("android", "ios")[number % 2]
    return (
        f'{{"user_id": "user-{number % 50}", "app_version": "1.0.{number % 3}", "ip": "10.0.0.1", "locale": "DE", '
        f'"device_id": "d-{number}", "timestamp": {1_795_400_000 + 60 * (number % 20)}, "device_type": "{device}"}}'
    ).encode()


def slice_of(start: int, *, good: int, bad: int = 0, timestamp: int = NEWEST + 1) -> Slice:
    """Return a slice of partition 3: good records, then bad ones."""
    count = good + bad
    values = [login(start + number) for number in range(good)] + [BAD] * bad
    offsets = list(range(start, start + count))
    return Slice(TOPIC, 3, start, start + count - 1, offsets, [timestamp] * count, [None] * count, values, [()] * count)


def settler_of(world: World, owner: str = "process", **changes: Any) -> Settler:
    """Return a settler on the stage's stores; `changes` are those of the pipeline."""
    stores = Stores(
        ledger=world.ledger,
        lake=world.lake,
        tables=world.tables,
        topics=world.topics,
        dead_letters=world.letters,
        now=world.clock,
    )
    return Settler(replace(PIPELINE, **changes), stores, MASK_KEY, owner)
