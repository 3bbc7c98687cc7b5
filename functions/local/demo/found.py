"""What the stores hold after a run, as plain values. `ip` and `device_id` of rows are masked here."""

from dataclasses import dataclass

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
    """Everything, doubles included. `counters` by (device type, minute as Unix seconds), summed over the partitions."""

    rows: list[tuple[Place, Row]]
    letters: list[StoredLetter]
    counters: dict[tuple[str, int], int]
    table: dict[str, Row]
    messages: list[tuple[Place, Row]]
