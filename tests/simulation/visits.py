"""The pipelines that are simulated, and their log: few kinds of small records, each with what must become of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Final, NamedTuple

from pydantic import BaseModel

from functions.core.errors import Reject
from functions.core.flood import FloodLimit
from functions.core.pipeline import AnyPipeline, Limits, Pipeline, Tombstones
from functions.core.sinks import HOUR, MINUTE, Counters, Lake, Sink, Table, Topic

TOPIC: Final = "visit"
USERS: Final = ("ann", "bob", "eve")
PAGES: Final = ("a", "b")
NOT_JSON: Final = b"{"
BEGINNING: Final = 600  # of the log, in Unix seconds


class Visit(BaseModel):
    user: str
    at: int
    page: str


class Seen(BaseModel):
    user: str
    at: datetime
    page: str
    version: int


class Row(NamedTuple):
    """What a record's row must hold; the version is that of whoever evaluated it."""

    user: str
    at: datetime
    page: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the log. Without row, reject and delete it is dropped."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    row: Row | None = None
    rejected: bool = False
    delete: str | None = None


@cache
def pipeline(*, lake: bool, version: int) -> AnyPipeline:
    """Two versions stand for two releases that run side by side: the object at N decides whose row it is."""

    def process(visit: Visit) -> Seen | None:
        match visit.page:
            case "drop":
                return None
            case "reject":
                raise Reject("page: is not one of ours")
            case page:
                return Seen(user=visit.user, at=datetime.fromtimestamp(visit.at, UTC), page=page, version=version)

    sinks: tuple[Sink, ...] = (
        Counters("per-minute", by=("page", "version"), every=MINUTE, at="at"),
        Counters("per-hour", by=("user",), every=HOUR, at="at"),
        Table("last", key="user", newest_by="at"),
        Topic("seen", key="user"),
    )
    return Pipeline(
        name="visits", topic=TOPIC, event=Visit, row=Seen, process=process,
        sinks=(Lake(), *sinks) if lake else sinks,
        tombstones=Tombstones.DELETE, limits=Limits(flood=FloodLimit(1.0, 1_000)),
    )  # fmt: skip


def log(rng: Random, length: int, *, holes: bool, jitter: int) -> list[Entry]:
    """`holes`: offsets without records, as compaction leaves them. `jitter`: of timestamps, in seconds."""
    entries: list[Entry] = []
    offset = rng.choice((0, 7))
    for _ in range(length):
        entries.append(_entry(rng, offset, jitter))
        offset += rng.randint(2, 4) if holes and rng.random() < 0.3 else 1
    return entries


def closing(entries: Sequence[Entry]) -> Entry:
    """One more record behind the others: a topic goes on, and only then is a gap at its end known to be one."""
    last = entries[-1]
    return _visit(last.offset + 1, max(entry.timestamp for entry in entries) + 1, "ann", BEGINNING, "a")


def _entry(rng: Random, offset: int, jitter: int) -> Entry:
    seconds = BEGINNING + offset * 10
    timestamp = (seconds + (rng.randint(-jitter, jitter) if jitter else 0)) * 1000
    user, kind = rng.choice(USERS), rng.random()
    if kind < 0.6:
        late = rng.choice((0, 0, 5, 60, 200))
        return _visit(offset, timestamp, user, seconds - late, rng.choice(PAGES))
    if kind < 0.7:
        return Entry(offset, timestamp, b"", NOT_JSON, rejected=True)
    if kind < 0.78:
        return Entry(offset, timestamp, b"", _value(user, 0, "reject"), rejected=True)
    if kind < 0.86:
        return Entry(offset, timestamp, b"", _value(user, 0, "drop"))
    if kind < 0.96:
        return Entry(offset, timestamp, user.encode(), None, delete=user)
    return Entry(offset, timestamp, None, None, rejected=True)


def _visit(offset: int, timestamp: int, user: str, at: int, page: str) -> Entry:
    row = Row(user, datetime.fromtimestamp(at, UTC), page)
    return Entry(offset, timestamp, user.encode(), _value(user, at, page), row)


@cache
def _value(user: str, at: int, page: str) -> bytes:
    return Visit(user=user, at=at, page=page).model_dump_json().encode()
