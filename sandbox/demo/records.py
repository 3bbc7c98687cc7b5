"""The records of the demo, what each must become, and what the stores hold of them."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote_plus

from functions.core.errors import Misconfigured


class LoginRow(NamedTuple):
    """The expected row. `ip` and `device_id` are unmasked unless said otherwise; `at` is in Unix seconds."""

    user_id: str
    version_major: int
    version_minor: int
    version_patch: int
    device_type: str
    ip: str
    locale: str
    device_id: str
    at: int


class ExpectedLetter(NamedTuple):
    """The expected result is a dead letter with this reason."""

    reason: str


class Fate(Enum):
    """An expected result that is neither a known row nor a known dead letter."""

    DROP = "drop"  # no row, no dead letter
    ONE = "one"  # for a line of a file: either a row or a dead letter


Expected = LoginRow | ExpectedLetter | Fate
Headers = tuple[tuple[str, bytes | None], ...]


class Record(NamedTuple):
    """A record to produce. The broker adds partition, offset and timestamp."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    expected: Expected
    timestamp: int | None = None  # in milliseconds; None: the broker's client chooses it


Place = tuple[int, int]  # partition, offset
Produced = dict[Place, Record]  # the records that the broker acknowledged


# A Lambda payload holds 6 MB: the values as base64 (4 bytes for 3), and the rest of the event.
MAX_LINE_BYTES: Final = 4 * 2**20


def read_lines(file: Path) -> list[Record]:
    """Return a record for every line, its bytes unchanged; Misconfigured for a file that cannot be the demo's input."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Misconfigured(f"--input {file}: {error.strerror or error}") from None
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    if not lines:
        raise Misconfigured(f"--input {file}: expected one event per line, got an empty file")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_BYTES:
            raise Misconfigured(
                f"--input {file}: line {number} has {len(line):,} bytes, the limit is {MAX_LINE_BYTES:,}"
            )
    return [Record(None, line, (), Fate.ONE) for line in lines]


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A stored dead letter: the reason in its object's key, the record in its body."""

    place: Place
    reason: str
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class StoreContents:
    """Everything stored, duplicates included, with masked rows.

    `counters` are by (device type, minute as Unix seconds), summed over the partitions; `announced` holds the place and
    reason of each dead letter that the queue announced.
    """

    rows: list[tuple[Place, LoginRow]]
    letters: list[StoredLetter]
    counters: dict[tuple[str, int], int]
    table: dict[str, LoginRow]
    messages: list[tuple[Place, LoginRow]]
    announced: set[tuple[Place, str]]


def letter_of(key: str) -> tuple[Place, str]:
    """Return place and reason from `<pipeline>/reason=<reason>/day=<day>/<topic>-<partition>-<offset>.json`."""
    _, reason, _, name = unquote_plus(key).split("/")
    _, partition, offset = name.removesuffix(".json").rsplit("-", 2)
    return (int(partition), int(offset)), reason.removeprefix("reason=")
