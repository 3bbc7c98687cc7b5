"""The declaration of a pipeline: what comes in, what goes out, where to, and within which limits.

Whatever can be wrong with a declaration is found when it is declared (InvalidPipeline), not when records come.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter

from functions.core.declaration import check
from functions.core.flood import FloodLimit
from functions.core.masking import is_masked
from functions.core.schema import Schema, schema_of
from functions.core.sinks import Counters, Lake, Sink, Table, Topic
from functions.core.topic_config import TopicConfig

Event = TypeVar("Event")
Row = TypeVar("Row", bound=BaseModel)


class Tombstones(Enum):
    """What a record without a value means."""

    DROP = "drop"
    DELETE = "delete"  # the record's key names the row to delete from the pipeline's tables
    REJECT = "reject"


class Start(Enum):
    """Where a consumer group that has neither ledger nor commit begins."""

    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a slice is full, and when rejects become a flood. A single record may exceed `slice_bytes`."""

    slice_records: int = 10_000
    slice_bytes: int = 16 * 1024 * 1024
    slice_seconds: float = 5.0
    flood: FloodLimit = field(default_factory=FloodLimit)


@dataclass(frozen=True)
class Pipeline(Generic[Event, Row]):
    """One pipeline. `process` must be pure: the same event gives the same row, whichever runtime asks."""

    name: str
    topic: str
    event: type[Event]
    row: type[Row]
    process: Callable[[Event], Row | None]
    sinks: tuple[Sink, ...]
    tombstones: Tombstones = Tombstones.DROP
    start: Start = Start.EARLIEST
    limits: Limits = field(default_factory=Limits)
    topic_config: TopicConfig = field(default_factory=TopicConfig)

    def __post_init__(self) -> None:
        check(self)

    @cached_property
    def schema(self) -> Schema:
        """The storage types of the row model's fields."""
        return schema_of(self.row)

    @cached_property
    def validate(self) -> Callable[[bytes], Event]:
        """JSON bytes -> event, or pydantic's ValidationError. The bound method: a wrapper would cost as much again."""
        return TypeAdapter(self.event).validator.validate_json

    @cached_property
    def masked(self) -> tuple[str, ...]:
        """The fields of the row model that are declared `Masked`."""
        return tuple(name for name, info in self.row.model_fields.items() if is_masked(info))

    @cached_property
    def has_lake(self) -> bool:
        """Whether rows are stored in the lake, which is what other effects are rolled forward from."""
        return any(isinstance(sink, Lake) for sink in self.sinks)

    @cached_property
    def counters(self) -> tuple[Counters, ...]:
        """The counter sinks, in the order of their declaration."""
        return tuple(sink for sink in self.sinks if isinstance(sink, Counters))

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The table sinks, in the order of their declaration."""
        return tuple(sink for sink in self.sinks if isinstance(sink, Table))

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        """The topic sinks, in the order of their declaration."""
        return tuple(sink for sink in self.sinks if isinstance(sink, Topic))


AnyPipeline = Pipeline[Any, Any]
