"""The declaration of a pipeline: its topic, event model, process function, row model, sinks and limits.

A wrong declaration fails when it is declared, with InvalidPipeline, not when records arrive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar

from functions.core.codecs import JSON, Codec, Decoder, json_validator
from functions.core.column_types import ColumnType
from functions.core.declaration import arity, check
from functions.core.dedup import Dedup
from functions.core.flood import FloodLimit
from functions.core.keys import KeyCodec, TextKey
from functions.core.masking import is_masked
from functions.core.model_kinds import ColumnCheck, ModelKind, kind_of
from functions.core.record import Delete, Record
from functions.core.registries import Registry
from functions.core.row_json import JsonRows, holds_float, json_rows
from functions.core.schema import Schema, schema_of
from functions.core.schema_document import document_of, schema_from
from functions.core.sinks import Counters, CustomSink, Lake, Sink, Table, Topic
from functions.core.topic_config import TopicConfig

Event = TypeVar("Event")
Row = TypeVar("Row")


class Tombstones(Enum):
    """What to do with a record without a value."""

    DROP = "drop"
    DELETE = "delete"  # the row of the record's key is deleted from the pipeline's tables
    REJECT = "reject"


class Start(Enum):
    """Where a consumer group starts that has neither ledger nor commit."""

    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a slice is full, when rejects become a flood, and what a record may become."""

    slice_records: int = 10_000
    """The most records of a slice."""

    slice_bytes: int = 16 * 1024 * 1024
    """The most bytes of a slice, as they arrive and decompressed; a single record may exceed it."""

    slice_seconds: float = 5.0
    """How long the worker collects records for a slice."""

    flood: FloodLimit = field(default_factory=FloodLimit)
    """When rejects stop a partition."""

    max_text_bytes: int | None = None
    """The longest text of a row, in UTF-8, where a warehouse that loads the lake has such a limit."""

    max_rows_per_record: int = 1_000
    """How many rows and Deletes `process` may return for one record."""


@dataclass(frozen=True)
class Pipeline(Generic[Event, Row]):
    """One pipeline: `PIPELINE` in its file."""

    name: str
    """The name of its file, with `-` for `_`; part of the names of what is deployed for it."""

    topic: str
    """The source topic."""

    event: type[Event]
    """What a value is decoded to: a pydantic model, a msgspec.Struct, or any type that either of them validates."""

    row: type[Row]
    """The model of the rows: a pydantic model, or a msgspec.Struct."""

    process: (
        Callable[[Event], Row | Delete | Sequence[Row | Delete] | None]
        | Callable[[Event, Record], Row | Delete | Sequence[Row | Delete] | None]
    )
    """Returns a row, None to drop the record, a Delete, or a list or tuple of rows and Deletes.

    It must be pure: the same record gives the same rows on both runtimes.
    """

    sinks: tuple[Sink, ...]
    """Where the rows go: at least one sink, and at most one Lake."""

    tombstones: Tombstones = Tombstones.DROP
    """What to do with a record without a value: `DROP`, `DELETE` the row of its key from the tables, or `REJECT`."""

    start: Start = Start.EARLIEST
    """Where a consumer group without ledger and commit starts: `EARLIEST` or `LATEST`."""

    limits: Limits = field(default_factory=Limits)
    """The sizes of slices and records."""

    topic_config: TopicConfig = field(default_factory=TopicConfig)
    """The settings with which the CDK creates the source topic."""

    key_codec: KeyCodec | Codec | None = None
    """Decodes `record.key`, and the keys of tombstones; without one they are bytes, and text."""

    dedup: Dedup | None = None
    """Drops records that repeat an event."""

    codec: Codec = JSON
    """Decodes values."""

    def __post_init__(self) -> None:
        check(self)

    @cached_property
    def schema(self) -> Schema:
        """The column types of the row model's fields."""
        return schema_of(self.row)

    @cached_property
    def event_kind(self) -> ModelKind:
        """The kind of the event's models."""
        return kind_of(self.event)

    @cached_property
    def column_checks(self) -> Mapping[str, ColumnCheck]:
        """What validates the columns of rows whose constructor does not."""
        return kind_of(self.row).column_checks(self.row)

    @cached_property
    def json_rows(self) -> JsonRows:
        """What encodes rows as JSON."""
        has_floats = any(holds_float(field.column_type) for field in self.schema.fields)
        return json_rows if has_floats else kind_of(self.row).json_rows()

    @cached_property
    def stored_schema(self) -> Schema:
        """The schema as the lake's objects describe it: what was masked is stored as any other text."""
        return schema_from(document_of(self.schema))

    @cached_property
    def validate(self) -> Callable[[bytes], Event]:
        """JSON bytes -> event, or an error of the library of its models."""
        validate: Callable[[bytes], Event] = json_validator(self.event)
        return validate

    @cached_property
    def decoder(self) -> Decoder:
        """What decodes values; for JSON, `validate` is faster."""
        return self.codec.decoder(self.event)

    @cached_property
    def key_decoder(self) -> Decoder:
        """What decodes the keys of tombstones, and those of records if there is a `key_codec`."""
        codec = self.key_codec or TextKey()
        if isinstance(codec, Codec):
            return codec.decoder(Any)
        decode = codec.decode
        return lambda key, _headers, _decoding: decode(key)

    @cached_property
    def codecs(self) -> tuple[Codec, ...]:
        """All codecs of values and keys."""
        keys = self.key_codec.parts() if isinstance(self.key_codec, Codec) else ()
        return (*self.codec.parts(), *keys)

    @cached_property
    def registries(self) -> dict[str, Registry]:
        """The registries of the schemas that values, keys and output topics name, by the name of their port."""
        used = (codec.registry_used for codec in (*self.codecs, *self.output_codecs))
        return {registry.name: registry for registry in used if registry is not None}

    @cached_property
    def output_codecs(self) -> tuple[Codec, ...]:
        """The codecs of output topics that have a registered schema."""
        return tuple(topic.codec for topic in self.topics if topic.codec is not None)

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """The extras of Tandem with the packages that the models, the codecs and the sinks need."""
        used = [
            self.event_kind.extras,
            kind_of(self.row).extras,
            *(codec.extras for codec in (*self.codecs, *self.output_codecs)),
            *(sink.extras for sink in self.custom_sinks),
        ]
        return tuple(sorted({extra for extras in used for extra in extras}))

    @cached_property
    def takes_record(self) -> bool:
        """Whether `process` takes the record as its second argument."""
        return arity(self.process) == 2  # noqa: PLR2004 - event and record

    @cached_property
    def keyed_sinks(self) -> tuple[Table | CustomSink, ...]:
        """The sinks that rows are deleted from: the tables, then those of your own that have a key."""
        return (*self.tables, *(sink for sink in self.custom_sinks if sink.key_fields))

    @cached_property
    def key_types(self) -> dict[str, ColumnType]:
        """The column type of each field that is a key of a keyed sink, in the order of their declaration."""
        names = (name for sink in self.keyed_sinks for name in sink.key_fields)
        return {name: self.schema.column_type(name) for name in names}

    @cached_property
    def table_sort_keys(self) -> frozenset[str]:
        """The fields that are sort keys of tables."""
        return frozenset(name for table in self.tables for name in table.key_fields[1:])

    @cached_property
    def ordered_by_record(self) -> bool:
        """Whether there are keyed sinks, and rows and deletes of all of them are ordered by their records."""
        by_record = self.tombstones is Tombstones.DELETE or all(table.newest_by is None for table in self.tables)
        return bool(self.keyed_sinks) and by_record

    @cached_property
    def masked(self) -> tuple[str, ...]:
        """The fields of the row model that are, or contain, masked values."""
        return tuple(field.name for field in self.schema.fields if is_masked(field.column_type))

    @cached_property
    def has_lake(self) -> bool:
        """Whether there is a Lake sink; other effects are rolled forward from the lake's objects."""
        return any(isinstance(sink, Lake) for sink in self.sinks)

    @cached_property
    def keeps_history(self) -> bool:
        """Whether deletes are rows of the lake, too."""
        return any(isinstance(sink, Lake) and sink.history for sink in self.sinks)

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

    @cached_property
    def custom_sinks(self) -> tuple[CustomSink, ...]:
        """The sinks of your own, in the order of their declaration."""
        return tuple(sink for sink in self.sinks if isinstance(sink, CustomSink))


AnyPipeline = Pipeline[Any, Any]
