"""What the stores hold after a run, as plain values. `ip` and `device_id` of rows are masked here."""

from dataclasses import dataclass
from urllib.parse import unquote_plus

from functions.local.demo.record import Headers, Place, Row


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter: the reason in its key, the record in its body."""

    place: Place
    reason: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Found:
    """Everything, doubles included. `counters` by (device type, minute as Unix seconds), summed over the partitions.

    `announced`: place and reason of each dead letter that the queue spoke of.
    """

    rows: list[tuple[Place, Row]]
    letters: list[StoredLetter]
    counters: dict[tuple[str, int], int]
    table: dict[str, Row]
    messages: list[tuple[Place, Row]]
    announced: set[tuple[Place, str]]


def letter_of(key: str) -> tuple[Place, str]:
    """Place and reason from `<pipeline>/reason=<reason>/day=<day>/<topic>-<partition>-<offset>.json`."""
    _, reason, _, name = unquote_plus(key).split("/")
    _, partition, offset = name.removesuffix(".json").rsplit("-", 2)
    return (int(partition), int(offset)), reason.removeprefix("reason=")
