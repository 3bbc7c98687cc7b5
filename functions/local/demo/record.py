"""A record of the demo, and what must become of it: known from how it was made, not from running the pipeline."""

from enum import Enum
from typing import NamedTuple


class Row(NamedTuple):
    """The row that must come out. `ip` and `device_id` are here before masking; `at` is in Unix seconds."""

    user_id: str
    version_major: int
    version_minor: int
    version_patch: int
    device_type: str
    ip: str
    locale: str
    device_id: str
    at: int


class Letter(NamedTuple):
    """A dead letter must come out, stored under this reason."""

    reason: str


class Fate(Enum):
    """What is neither of the two."""

    DROP = "drop"  # no row, no dead letter
    ONE = "one"  # of a file: a row or a dead letter, one of them, and nobody knows which


Expected = Row | Letter | Fate
Headers = tuple[tuple[str, bytes | None], ...]


class Record(NamedTuple):
    """What is produced. The broker adds partition, offset and timestamp."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    expected: Expected


Place = tuple[int, int]  # partition, offset
Produced = dict[Place, Record]  # what the broker acknowledged, and where
