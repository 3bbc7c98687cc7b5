"""The releases of the simulated pipeline: same topic and log; row models, counters, tables, topics and lake differ.

A release is declared twice: as a Pipeline for the code under test, and as the plain values that the checks expect.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from functions.core.flood import FloodLimit
from functions.core.keys import JsonKey, TextKey
from functions.core.pipeline import AnyPipeline, Limits, Pipeline, Start, Tombstones
from functions.core.sinks import Counters, Lake, Sink, Table, Topic
from tests.simulation.visits import TOPIC, Row, Visit, process

NO_FLOOD: Final = FloodLimit(1.0, 1_000)


class Named(NamedTuple):
    """A table or topic, and the field that is its key."""

    name: str
    key: str


class Counter(NamedTuple):
    """Counters of `every` seconds by fields."""

    name: str
    by: tuple[str, ...]
    every: int


@dataclass(frozen=True, slots=True)
class Shape:
    """A row model and its sinks. `time`: the field that tables and counters use."""

    model: type[BaseModel]
    columns: Callable[[Row], Mapping[str, Any]]
    time: str
    counters: tuple[Counter, ...]
    tables: tuple[Named, ...]
    topics: tuple[Named, ...]


class Plain(BaseModel):
    user: str
    at: datetime
    page: str
    release: int


class Renamed(BaseModel):
    name: str
    seen: datetime
    page: str
    release: int


class Longer(BaseModel):
    length: int
    user: str
    at: datetime
    page: str
    release: int


class Shorter(BaseModel):
    release: int
    at: datetime
    user: str


SHAPES: Final = {
    1: Shape(
        Plain,
        lambda row: {"user": row.user, "at": row.at, "page": row.page, "release": 1},
        "at",
        (Counter("per-minute", ("page", "release"), 60), Counter("per-hour", ("user",), 3600)),
        (Named("last", "user"),),
        (Named("seen", "user"),),
    ),
    2: Shape(
        Renamed,
        lambda row: {"name": row.user, "seen": row.at, "page": row.page, "release": 2},
        "seen",
        (Counter("per-minute", ("page", "release"), 30), Counter("per-name", ("name",), 3600)),
        (Named("last", "name"),),
        (Named("seen", "name"),),
    ),
    3: Shape(
        Longer,
        lambda row: {"length": 7, "user": row.user, "at": row.at, "page": row.page, "release": 3},
        "at",
        (Counter("per-hour", ("user",), 3600),),
        (Named("last", "user"), Named("latest", "user")),
        (),
    ),
    4: Shape(
        Shorter,
        lambda row: {"release": 4, "at": row.at, "user": row.user},
        "at",
        (
            Counter("per-minute", ("release",), 60),
            Counter("per-hour", ("user", "release"), 3600),
            Counter("total", (), 86400),
        ),
        (Named("latest", "user"),),
        (Named("seen", "user"), Named("more", "release")),
    ),
}
TABLES: Final = tuple(dict.fromkeys(table for shape in SHAPES.values() for table in shape.tables))
TOPICS: Final = tuple(dict.fromkeys(topic.name for shape in SHAPES.values() for topic in shape.topics))


@dataclass(frozen=True, slots=True)
class Release:
    """A shape, with or without a lake."""

    number: int
    has_lake: bool

    @property
    def shape(self) -> Shape:
        return SHAPES[self.number]

    def __str__(self) -> str:
        return f"{self.number} {'with' if self.has_lake else 'without'} lake"


@dataclass(frozen=True, slots=True)
class Terms:
    """What all releases of a schedule share."""

    deletes: bool
    json_keys: bool
    flood: FloodLimit
    start: Start


@cache
def pipeline(release: Release, terms: Terms) -> AnyPipeline:
    """Return the declaration of a release."""
    shape = release.shape
    sinks: tuple[Sink, ...] = (
        *(Counters(counter.name, counter.by, counter.every, at=shape.time) for counter in shape.counters),
        *(Table(table.name, table.key, newest_by=shape.time) for table in shape.tables),
        *(Topic(topic.name, topic.key) for topic in shape.topics),
    )

    def shaped(visit: Visit) -> BaseModel | None:
        kept = process(visit)
        if kept is None:
            return None
        return shape.model(**shape.columns(Row(kept.user, datetime.fromtimestamp(kept.at, UTC), kept.page)))

    return Pipeline(
        name="visits", topic=TOPIC, event=Visit, row=shape.model, process=shaped,
        sinks=(Lake(), *sinks) if release.has_lake else sinks,
        tombstones=Tombstones.DELETE if terms.deletes else Tombstones.DROP, start=terms.start,
        limits=Limits(flood=terms.flood), key_codec=JsonKey() if terms.json_keys else TextKey(),
    )  # fmt: skip
