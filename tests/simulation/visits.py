"""The log of the simulated pipelines: a few kinds of small records, each with its expected result."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple

from greenlet import getcurrent
from pydantic import BaseModel, field_validator

from functions.core.dead_letter import Reason
from functions.core.errors import Reject

TOPIC: Final = "visit"
USERS: Final = ("ann", "bob", "eve")
PAGES: Final = ("a", "b")
NOT_JSON: Final = b"{"
BEGINNING: Final = 600  # of the log, in Unix seconds
FUTURE_MS: Final = 4_102_444_800_000  # the year 2100: some producer's clock


class _Unprintable(Exception):  # noqa: N818 - it only needs to be raised
    def __str__(self) -> str:
        raise ValueError("no text")


RAISES: Final[dict[str, Callable[[], BaseException]]] = {
    "raise KeyError": lambda: KeyError("user"),
    "raise OSError": lambda: OSError(5, "no disk"),
    "raise SystemExit": lambda: SystemExit(3),
    "raise GeneratorExit": GeneratorExit,
    "raise Unprintable": _Unprintable,
}


class Visit(BaseModel):
    """`number` identifies the record: 1000 times its partition, plus its offset."""

    number: int
    user: str
    at: int
    page: str

    @field_validator("page")
    @classmethod
    def _raises(cls, page: str) -> str:
        if page.startswith("validator "):
            error = RAISES[page.removeprefix("validator ")]()
            raise error
        return page


class Row(NamedTuple):
    """The expected row of a record; how a release names its fields, and which it has, is the release's."""

    user: str
    at: datetime
    page: str

    @property
    def seconds(self) -> int:
        return int(self.at.timestamp())


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the log. One without row, reject and delete is dropped. `lethal`: it ends its process."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    row: Row | None = None
    rejected: Reason | None = None
    delete: str | None = None
    lethal: bool = False


@dataclass(frozen=True, slots=True)
class Mix:
    """The kinds of records in a log. `jitter`: of timestamps, in seconds. `spells`: rejects come in long runs."""

    partition: int
    deletes: bool
    json_keys: bool
    holes: bool
    jitter: int
    lethal: float
    spells: bool
    future: bool


class Observer:
    """The code that runs `process`, as a greenlet attribute: it sees each call, and where a process ends."""

    def evaluated(self, number: int) -> None:
        """`process` is called for a record."""

    def die(self, number: int) -> None:
        """The process ends immediately. Does not return."""


def process(visit: Visit) -> Visit | None:
    """What all releases do with a visit, before they shape the row."""
    observer: Observer = getcurrent().observer  # type: ignore[attr-defined]
    observer.evaluated(visit.number)
    match visit.page:
        case "lethal":
            observer.die(visit.number)
        case "drop":
            return None
        case "reject":
            raise Reject("page: expected a known page")
        case page if page in RAISES:
            error = RAISES[page]()
            raise error
    return visit


def log(rng: Random, length: int, mix: Mix, first: int, seconds: int = BEGINNING) -> list[Entry]:
    """Return `length` records from offset `first` on. With `holes`, some offsets are missing, as after compaction."""
    entries: list[Entry] = []
    offset, bad = first, False
    for _ in range(length):
        bad = mix.spells and rng.random() < (0.8 if bad else 0.1)
        entries.append(_entry(rng, mix, offset, seconds + (offset - first) * 10, bad=bad))
        offset += rng.randint(2, 4) if mix.holes and rng.random() < 0.3 else 1
    return entries


def closing(entries: Sequence[Entry], partition: int) -> Entry:
    """Return one more record after the others: only a later record reveals a gap at the end of the log."""
    offset = entries[-1].offset + 1
    times = [entry.timestamp for entry in entries if entry.timestamp < FUTURE_MS]
    return _visit(partition, offset, max(times, default=0) + 1000, Row("ann", _time(BEGINNING), "a"))


def _entry(rng: Random, mix: Mix, offset: int, seconds: int, *, bad: bool) -> Entry:
    timestamp = (seconds + (rng.randint(-mix.jitter, mix.jitter) if mix.jitter else 0)) * 1000
    if mix.future and rng.random() < 0.1:
        timestamp = FUTURE_MS + offset
    user, kind = rng.choice(USERS), 0.65 if bad else rng.random()
    if rng.random() < mix.lethal:
        kind = 2.0
    if kind < 0.6:
        late = rng.choice((0, 0, 5, 60, 200))
        return _visit(mix.partition, offset, timestamp, Row(user, _time(seconds - late), rng.choice(PAGES)))
    if 0.85 <= kind < 1:
        return _tombstone(rng, mix, Entry(offset, timestamp, None, None), user)
    return _without_row(rng, kind, Entry(offset, timestamp, b"", None), mix.partition * 1000 + offset, user)


def _without_row(rng: Random, kind: float, entry: Entry, number: int, user: str) -> Entry:
    """Return a record that is rejected or dropped, or ends its process."""
    if kind < 0.66:
        return replace(entry, value=NOT_JSON, rejected=Reason.UNDECODABLE)
    if kind < 0.72:
        return replace(entry, value=_value(number, user, 0, "reject"), rejected=Reason.REJECTED)
    if kind < 0.76:
        page = rng.choice(("", "validator ")) + rng.choice(tuple(RAISES))
        return replace(entry, value=_value(number, user, 0, page), rejected=Reason.FAILED)
    if kind < 1:
        return replace(entry, value=_value(number, user, 0, "drop"))
    return replace(entry, value=_value(number, user, 0, "lethal"), lethal=True)


def _tombstone(rng: Random, mix: Mix, entry: Entry, user: str) -> Entry:
    """Return a record without a value: one whose key names a row, or not."""
    if not mix.deletes:
        return replace(entry, key=user.encode())
    if rng.random() < 0.8:
        return replace(entry, key=_key(rng, user, json_keys=mix.json_keys), delete=user)
    return replace(entry, rejected=Reason.TOMBSTONE)


def _visit(partition: int, offset: int, timestamp: int, row: Row) -> Entry:
    value = _value(partition * 1000 + offset, row.user, row.seconds, row.page)
    return Entry(offset, timestamp, row.user.encode(), value, row)


def _key(rng: Random, user: str, *, json_keys: bool) -> bytes:
    """Return the key of a tombstone: text, or JSON, which Kafka Connect wraps."""
    if not json_keys:
        return user.encode()
    fields: dict[str, Any] = {"user": user, "name": user}
    return json.dumps(fields if rng.random() < 0.5 else {"schema": None, "payload": fields}).encode()


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@cache
def _value(number: int, user: str, at: int, page: str) -> bytes:
    return json.dumps({"number": number, "user": user, "at": at, "page": page}).encode()
