"""The checks of a pipeline declaration; the message of InvalidPipeline names the pipeline and the field."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from functions.core.codecs import Codec
from functions.core.column_types import (
    Boolean,
    ColumnType,
    Day,
    Field,
    Integer,
    ListOf,
    Number,
    Struct,
    Text,
    Timestamp,
    Uuid,
)
from functions.core.errors import InvalidPipeline
from functions.core.keys import TextKey
from functions.core.model_kinds import is_struct, kind_of, mentions_struct
from functions.core.schema import is_model
from functions.core.sinks import Counters, CustomSink, Lake, Table, Topic

if TYPE_CHECKING:
    from functions.core.pipeline import Pipeline

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9-]{1,47}")  # valid in S3, DynamoDB, Lambda and Kubernetes names alike
TOPIC_PATTERN: Final = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,249}")  # Kafka's own rule
MAX_KEY_FIELDS: Final = 2  # of a DynamoDB table: partition key and sort key
MAX_ARITY: Final = 2  # event and record
MAX_NESTED_LEVELS: Final = 32  # of a DynamoDB attribute ("Quotas in Amazon DynamoDB")
MAX_BUCKET_SECONDS: Final = 10**12  # more than the calendar has, so that everything is in one bucket or two
MAX_COUNTERS: Final = 98  # a DynamoDB transaction has at most 100 items; the ledger and a gap need two
GROUP_TYPES: Final = (Text, Integer, Boolean, Uuid, Day)
KEY_TYPES: Final = (Text, Integer, Uuid)
SUM_TYPES: Final = (Integer, Number)
TYPED_FIELDS: Final[dict[type, tuple[str, ...]]] = {
    Counters: ("name", "by", "every", "at", "sums", "expire_after"),
    Table: ("name", "newest_by", "expire_after"),  # the key has a separate message
    Topic: ("name", "key", "config", "subject"),
}
ORDER_TYPES: Final = (Timestamp, Day, Integer)


def check(pipeline: "Pipeline[Any, Any]") -> None:
    """Raise InvalidPipeline for the first problem of a declaration."""
    for problem in _problems(pipeline):
        raise InvalidPipeline(f"pipeline {pipeline.name!r}: {problem}")


def _problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    declared: Any = pipeline  # by a person, and so of any types
    if not (isinstance(declared.name, str) and NAME_PATTERN.fullmatch(declared.name)):
        yield "name: expected 2 to 48 lower-case letters, digits and hyphens, starting with a letter"
    if not (isinstance(declared.topic, str) and TOPIC_PATTERN.fullmatch(declared.topic)):
        yield f"topic: expected a valid Kafka topic name, got {declared.topic!r}"
    if not (inspect.isclass(pipeline.row) and is_model(pipeline.row)):
        yield f"row: expected a pydantic model or a msgspec.Struct, got {pipeline.row!r}"
    for name in ("tombstones", "start", "limits", "topic_config", "dedup"):
        yield from _type_problems("", pipeline, name)
    for label, part in (("limits.", pipeline.limits), ("limits.flood.", pipeline.limits.flood)):
        yield from _type_problems(label, part)
    yield from _type_problems("topic_config: ", pipeline.topic_config)
    if pipeline.dedup is not None:
        yield from _type_problems("dedup ", pipeline.dedup)
    yield from _process_problems(pipeline.process)
    yield from _schema_problems(pipeline)
    yield from _event_problems(pipeline)
    yield from _codec_problems(pipeline)
    yield from _limit_problems(pipeline)
    yield from (f"topic_config: {problem}" for problem in pipeline.topic_config.problems())
    yield from _sinks_problems(pipeline)
    yield from _tombstone_problems(pipeline)
    yield from _dedup_problems(pipeline)


def _type_problems(label: str, declared: Any, *names: str) -> Iterator[str]:  # noqa: ANN401 - a dataclass
    """Yield a message for each of these fields, or of all, whose value is not of its type."""
    hints = get_type_hints(type(declared))
    for name in names or [field.name for field in dataclasses.fields(declared)]:
        value = getattr(declared, name)
        try:
            TypeAdapter(hints[name]).validate_python(value, strict=True)
        except ValidationError:
            hint = hints[name]
            expected = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
            yield f"{label}{name}: expected {expected}, got {value!r}"


def _process_problems(process: Any) -> Iterator[str]:  # noqa: ANN401 - what a person declared
    if not callable(process):
        yield f"process: expected a function, got {process!r}"
    code = process if inspect.isroutine(process) else type(process).__call__
    if inspect.iscoroutinefunction(code):
        yield "process: expected a function, got an async one: records are processed one after another"
    if inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
        yield "process: expected a function that returns rows, got a generator: return a list of rows"
    if arity(process) is None:
        yield "process: expected a function of (event) or (event, record)"


def arity(process: Callable[..., object]) -> int | None:
    """Return how many arguments `process` is called with: 1 or 2; None if it takes neither."""
    try:
        parameters = inspect.signature(process).parameters.values()
    except (TypeError, ValueError):  # of some builtins
        return 1
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    required = sum(p.default is p.empty for p in positional)
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        return None
    if required == 0:
        takes_any = positional or any(p.kind is p.VAR_POSITIONAL for p in parameters)
        return 1 if takes_any else None
    return required if required <= MAX_ARITY else None


def _schema_problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    try:
        _ = pipeline.schema
    except InvalidPipeline as error:
        yield f"row: {error}"
    if is_struct(pipeline.row):
        yield from (f"row: {problem}" for problem in kind_of(pipeline.row).problems(pipeline.row))


def _event_problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    yield from (f"event: {problem}" for problem in pipeline.event_kind.problems(pipeline.event))


def _codec_problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    declared: Any = pipeline.codec
    if isinstance(declared, Codec):
        yield from declared.problems(pipeline.event)
        if mentions_struct(pipeline.event):
            yield from _decoder_problems(pipeline)
    else:
        yield f"codec: expected a codec such as Json(), got {declared!r}"
    key_codec: Any = pipeline.key_codec
    if isinstance(key_codec, Codec):
        yield from (problem.replace("codec:", "key_codec:", 1) for problem in key_codec.problems(bytes))
    elif key_codec is not None and (inspect.isclass(key_codec) or not callable(getattr(key_codec, "decode", None))):
        yield f"key_codec: expected a codec such as TextKey() or Avro(...), got {key_codec!r}"


def _decoder_problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    """Make the decoder: a codec of one's own may know only pydantic's models."""
    try:
        _ = pipeline.decoder
    except PydanticUserError:
        name = type(pipeline.codec).__name__
        yield f"codec: {name} cannot decode a msgspec.Struct; call functions.core.codecs.plain_validator(event) in it"


def _limit_problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    limits = pipeline.limits
    for name in ("slice_records", "slice_bytes", "slice_seconds", "max_rows_per_record"):
        if not 0 < getattr(limits, name) < inf:
            yield f"limits.{name}: expected a number above 0, got {getattr(limits, name)}"
    if limits.max_text_bytes is not None and limits.max_text_bytes < 1:
        yield f"limits.max_text_bytes: expected a number above 0, got {limits.max_text_bytes}"
    if not 0 < limits.flood.ratio <= 1 or limits.flood.over < 1:
        yield f"limits.flood: expected a ratio in (0, 1] over at least 1 record, got {limits.flood}"


def _sinks_problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    declared: Any = pipeline.sinks
    if not isinstance(declared, tuple):
        yield f"sinks: expected a tuple, got a {type(declared).__name__}"
    for sink in declared:
        if not isinstance(sink, Lake | Counters | Table | Topic | CustomSink):
            yield f"sinks: expected Lake, Counters, Table, Topic or a CustomSink, got {sink!r}"
    if not pipeline.sinks:
        yield "sinks: expected at least one sink, without any the pipeline has no effect"
    if sum(isinstance(sink, Lake) for sink in pipeline.sinks) > 1:
        yield "sinks: expected at most one Lake"
    if len(pipeline.counters) > MAX_COUNTERS:
        yield f"sinks: expected at most {MAX_COUNTERS} Counters, as many as fit one transaction"
    names = [(type(sink), sink.name) for sink in pipeline.sinks if not isinstance(sink, Lake)]
    for sink_type, name in sorted({pair for pair in names if names.count(pair) > 1}, key=str):
        yield f"sinks: {sink_type.__name__} {name!r} is declared twice"
    for sink in pipeline.sinks:
        if not isinstance(sink, Lake):
            names_checked = TYPED_FIELDS.get(type(sink), ("name",))
            yield from _type_problems(f"sinks: {type(sink).__name__} ", sink, *names_checked)
            yield from _sink_problems(pipeline, sink, f"sinks: {type(sink).__name__} {sink.name!r}")


def _sink_problems(
    pipeline: "Pipeline[Any, Any]", sink: Counters | Table | Topic | CustomSink, label: str
) -> Iterator[str]:
    fields = {field.name: field for field in pipeline.schema.fields}
    yield from _name_problems(label, sink.name, TOPIC_PATTERN if isinstance(sink, Topic) else NAME_PATTERN)
    match sink:
        case Counters():
            for name in sink.by:
                yield from _field_problems(f"{label} by", name, fields, GROUP_TYPES, nullable=True)
            yield from _field_problems(f"{label} at", sink.at, fields, (Timestamp,))
            for name in sink.sums:
                yield from _field_problems(f"{label} sums", name, fields, SUM_TYPES, nullable=True)
            if sink.every < 1:
                yield f"{label} every: expected at least 1 second, got {sink.every}"
            if sink.every > MAX_BUCKET_SECONDS:
                yield f"{label} every: expected at most {MAX_BUCKET_SECONDS} seconds, got {sink.every}"
            yield from _expiry_problems(label, sink.expire_after)
        case CustomSink():
            if ":" not in sink.adapter:
                yield f"{label}: adapter: expected 'package.module:function', got {sink.adapter!r}"
            yield from _key_problems(sink, label, fields)
            yield from (f"{label} {problem}" for problem in sink.problems(fields))
        case Table():
            yield from _table_problems(sink, label, fields)
        case _:
            yield from _field_problems(f"{label} key", sink.key, fields, KEY_TYPES, nullable=True)
            yield from (f"{label} config: {problem}" for problem in sink.config.problems())
            yield from (f"{label} {problem}" for problem in _output_codec_problems(pipeline, sink.codec))
            if sink.name == pipeline.topic:
                yield f"{label}: is the pipeline's own source, so its rows would be read as records again"


def _output_codec_problems(pipeline: "Pipeline[Any, Any]", codec: Any) -> Iterator[str]:  # noqa: ANN401 - declared
    if codec is None:
        return
    if not isinstance(codec, Codec):
        yield f"codec: expected Avro(REGISTRY) or JsonSchema(REGISTRY), got {codec!r}"
    if not codec.writes:
        yield f"codec: expected Avro(REGISTRY) or JsonSchema(REGISTRY), {type(codec).__name__} writes no rows"
    if codec.registry_used is None:
        yield "codec: expected one with a registry, which has the schema of the rows"
    yield from codec.problems(pipeline.row)


def _key_problems(sink: CustomSink, label: str, fields: Mapping[str, Field]) -> Iterator[str]:
    keys: Any = sink.key_fields
    if not (isinstance(keys, tuple) and all(isinstance(name, str) for name in keys) and len(set(keys)) == len(keys)):
        yield f"{label} key: expected different fields, got {keys!r}"
    for name in keys:
        yield from _field_problems(f"{label} key", name, fields, KEY_TYPES)


def _table_problems(table: Table, label: str, fields: Mapping[str, Field]) -> Iterator[str]:
    keys: Any = table.key_fields
    is_tuple_of_names = isinstance(keys, tuple) and all(isinstance(name, str) for name in keys)
    if not is_tuple_of_names or len(set(keys)) != len(keys) or not 1 <= len(keys) <= MAX_KEY_FIELDS:
        yield f"{label} key: expected a field, or two different ones, got {table.key!r}"
    for name in keys:
        yield from _field_problems(f"{label} key", name, fields, KEY_TYPES)
    if table.newest_by is not None:
        yield from _field_problems(f"{label} newest_by", table.newest_by, fields, ORDER_TYPES)
    yield from _expiry_problems(label, table.expire_after)
    if max(_depth(field.column_type) for field in fields.values()) > MAX_NESTED_LEVELS:
        yield f"{label}: expected at most {MAX_NESTED_LEVELS} levels of lists and models, as DynamoDB allows"


def _expiry_problems(label: str, expire_after: timedelta | None) -> Iterator[str]:
    if expire_after is not None and expire_after < timedelta(seconds=1):
        yield f"{label} expire_after: expected a second or more, got {expire_after}"


def _name_problems(label: str, name: str, pattern: re.Pattern[str]) -> Iterator[str]:
    if not pattern.fullmatch(name):
        yield f"{label} name: expected {pattern.pattern}"


def _field_problems(
    label: str, name: str, fields: Mapping[str, Field], allowed: tuple[type, ...], *, nullable: bool = False
) -> Iterator[str]:
    if name not in fields:
        yield f"{label}: the row has no field {name!r}, its fields are {', '.join(fields)}"
    elif not isinstance(fields[name].column_type, allowed):
        expected = " or ".join(column_type.__name__ for column_type in allowed)
        yield f"{label}: expected a field of type {expected}, got {name!r} of {type(fields[name].column_type).__name__}"
    elif fields[name].nullable and not nullable:
        yield f"{label}: field {name!r} may be None, expected a field that always has a value"


def _depth(column_type: ColumnType) -> int:
    match column_type:
        case ListOf():
            return 1 + _depth(column_type.item)
        case Struct():
            return 1 + max(_depth(field.column_type) for field in column_type.fields)
        case _:
            return 0


def _is_model(event: object) -> bool:
    return inspect.isclass(event) and is_model(event)


def _dedup_problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    dedup = pipeline.dedup
    if dedup is None:
        return
    if dedup.within < timedelta(seconds=1):
        yield f"dedup within: expected a second or more, got {dedup.within}"
    fields = [field.name for field in pipeline.event_kind.fields(pipeline.event)] if _is_model(pipeline.event) else []
    if dedup.by not in fields:
        yield f"dedup by: the event has no field {dedup.by!r}, its fields are {', '.join(fields) or 'unknown'}"


def _tombstone_problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    if pipeline.keeps_history and not pipeline.ordered_by_record:
        yield "sinks: Lake history needs a Table or other sink with a key to delete from, and none with newest_by"
    if pipeline.tombstones.value != "delete":
        return
    if not pipeline.keyed_sinks:
        yield "tombstones: DELETE needs a Table or other sink with a key to delete from"
    keys = list(pipeline.key_types)
    if len(keys) > 1 and isinstance(pipeline.key_codec or TextKey(), TextKey):
        yield f"key_codec: TextKey() names one field, the tables' keys are {', '.join(keys)}; JsonKey() names several"
    for sink in pipeline.keyed_sinks:
        for name in set(sink.key_fields) & set(pipeline.masked):
            needed = f"a {type(sink).__name__} whose key is not masked"
            yield f"tombstones: DELETE needs {needed}, {sink.name!r} has {name!r}"
