"""What a pipeline declaration must satisfy; the message of InvalidPipeline names the pipeline and the field."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticUserError

from functions.core.errors import InvalidPipeline
from functions.core.kinds import Boolean, Day, Field, Integer, Text, Timestamp, Uuid
from functions.core.sinks import Counters, Lake, Table, Topic

if TYPE_CHECKING:
    from functions.core.pipeline import Pipeline

NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,47}")  # what S3, DynamoDB, Lambda and Kubernetes names have in common
TOPIC: Final = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,249}")  # Kafka's own rule
MOST_COUNTERS: Final = 98
GROUPING: Final = (Text, Integer, Boolean, Uuid, Day)
KEYS: Final = (Text, Integer, Uuid)
ORDERS: Final = (Timestamp, Day, Integer)


def check(pipeline: "Pipeline[Any, Any]") -> None:
    """Raise InvalidPipeline for the first thing that cannot work."""
    for problem in _problems(pipeline):
        raise InvalidPipeline(f"pipeline {pipeline.name!r}: {problem}")


def _problems(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    if not NAME.fullmatch(pipeline.name):
        yield "name: takes 2 to 48 lower-case letters, digits and hyphens, beginning with a letter"
    if not TOPIC.fullmatch(pipeline.topic):
        yield f"topic: Kafka takes no topic named {pipeline.topic!r}"
    if not (inspect.isclass(pipeline.row) and issubclass(pipeline.row, BaseModel)):
        yield f"row: takes a pydantic model, got {pipeline.row!r}"
    if not callable(pipeline.process):
        yield f"process: takes a function, got {pipeline.process!r}"
    yield from _schema(pipeline)
    yield from _event(pipeline)
    yield from _limits(pipeline)
    yield from (f"topic_config: {problem}" for problem in pipeline.topic_config.problems())
    yield from _sinks(pipeline)
    yield from _tombstones(pipeline)


def _schema(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    try:
        _ = pipeline.schema
    except InvalidPipeline as error:
        yield f"row: {error}"


def _event(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    try:
        TypeAdapter(pipeline.event)
    except PydanticUserError as error:
        yield f"event: takes a pydantic model, got {pipeline.event!r} ({error.message.splitlines()[0]})"


def _limits(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    limits = pipeline.limits
    for name in ("slice_records", "slice_bytes", "slice_seconds"):
        if getattr(limits, name) <= 0:
            yield f"limits.{name}: takes a number above 0, got {getattr(limits, name)}"
    if not 0 < limits.flood.ratio <= 1 or limits.flood.over < 1:
        yield f"limits.flood: takes a ratio in (0, 1] over 1 record or more, got {limits.flood}"


def _sinks(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    if not pipeline.sinks:
        yield "sinks: takes at least one, or the pipeline has no effect"
    if sum(isinstance(sink, Lake) for sink in pipeline.sinks) > 1:
        yield "sinks: takes one Lake"
    if len(pipeline.counters) > MOST_COUNTERS:
        yield f"sinks: takes at most {MOST_COUNTERS} Counters, as many as fit one transaction"
    names = [(type(sink), sink.name) for sink in pipeline.sinks if not isinstance(sink, Lake)]
    for kind, name in sorted({pair for pair in names if names.count(pair) > 1}, key=str):
        yield f"sinks: {kind.__name__} {name!r} is declared twice"
    for sink in pipeline.sinks:
        if not isinstance(sink, Lake):
            yield from _sink(pipeline, sink, f"sinks: {type(sink).__name__} {sink.name!r}")


def _sink(pipeline: "Pipeline[Any, Any]", sink: Counters | Table | Topic, at: str) -> Iterator[str]:
    fields = {field.name: field for field in pipeline.schema.fields}
    yield from _named(at, sink.name, TOPIC if isinstance(sink, Topic) else NAME)
    match sink:
        case Counters():
            for name in sink.by:
                yield from _takes(f"{at} by", name, fields, GROUPING, nullable=True)
            yield from _takes(f"{at} at", sink.at, fields, (Timestamp,))
            if sink.every < 1:
                yield f"{at} every: takes seconds, 1 or more, got {sink.every}"
        case Table():
            yield from _takes(f"{at} key", sink.key, fields, KEYS)
            yield from _takes(f"{at} newest_by", sink.newest_by, fields, ORDERS)
        case _:
            yield from _takes(f"{at} key", sink.key, fields, KEYS, nullable=True)
            yield from (f"{at} config: {problem}" for problem in sink.config.problems())
            if sink.name == pipeline.topic:
                yield f"{at}: is the pipeline's own source, rows would come back as records"


def _named(at: str, name: str, rule: re.Pattern[str]) -> Iterator[str]:
    if not rule.fullmatch(name):
        yield f"{at} name: takes {rule.pattern}"


def _takes(
    at: str, name: str, fields: Mapping[str, Field], kinds: tuple[type, ...], *, nullable: bool = False
) -> Iterator[str]:
    if name not in fields:
        yield f"{at}: the row has no field {name!r}, it has {', '.join(fields)}"
    elif not isinstance(fields[name].kind, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        yield f"{at}: field {name!r} is {type(fields[name].kind).__name__}, takes {wanted}"
    elif fields[name].nullable and not nullable:
        yield f"{at}: field {name!r} may be None, takes a field that is always there"


def _tombstones(pipeline: "Pipeline[Any, Any]") -> Iterator[str]:
    if pipeline.tombstones.value != "delete":
        return
    if not pipeline.tables:
        yield "tombstones: DELETE takes a Table to delete from"
    for table in pipeline.tables:
        if not isinstance(pipeline.schema.kind(table.newest_by), Timestamp):
            wrong = f"{table.name!r} has {table.newest_by!r}"
            yield f"tombstones: DELETE takes a Table whose newest_by is a datetime, {wrong}"
        if table.key in pipeline.masked:
            yield f"tombstones: DELETE takes a Table whose key is not masked, {table.name!r} has {table.key!r}"
