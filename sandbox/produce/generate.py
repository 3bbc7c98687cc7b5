"""Records from a pipeline's event model: random values that its fields allow, or the examples that they name.

Law: a record is one that the pipeline accepts; what `process` rejects is generated anew. polyfactory knows the models'
types and limits; only the model's author knows more, and says so by `Field(examples=[...])`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from polyfactory.exceptions import FactoryException
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import BaseModel

from functions.core.codecs import JSON
from functions.core.errors import Misconfigured
from functions.core.pipeline import AnyPipeline
from functions.operate.input_lines import InputRecord
from functions.operate.trial.run import Outcome, Trial

Build = Callable[[], bytes]
MAX_REJECTED: Final = 200  # in a row, before there is an error
BROKEN: Final = (b"", b"{", b"not JSON", b"[]", b"null", b'{"unexpected": true}', b"\xff\xfe")


@dataclass(frozen=True, slots=True)
class GeneratorOptions:
    """How many records; `invalid`: the share of them, from 0 to 1, that is broken on purpose; `key`: a field."""

    count: int
    seed: int
    invalid: float = 0.0
    key: str | None = None


def generate(pipeline: AnyPipeline, options: GeneratorOptions) -> Iterator[InputRecord]:
    """Yield records for a pipeline. Misconfigured if its event model or its codec cannot be generated."""
    random = Random(f"{options.seed}/{pipeline.name}")  # noqa: S311 - reproducible on purpose
    build = _builder(pipeline.event, random) if pipeline.codec is JSON else None
    if build is None:
        raise Misconfigured(
            f"--generate: {pipeline.name} decodes values by {type(pipeline.codec).__name__} to "
            f"{getattr(pipeline.event, '__name__', pipeline.event)}, expected JSON and a model of pydantic or msgspec: "
            "produce a FILE"
        )
    key = _key_field(json.loads(_value(build)), pipeline, options.key)
    trial = Trial(pipeline, {}, lambda: datetime.now(UTC))
    for line in range(1, options.count + 1):
        if random.random() < options.invalid:
            yield InputRecord(line, None, random.choice(BROKEN))
        else:
            yield _accepted(build, trial, line, key)


def _builder(event: Any, random: Random) -> Build | None:  # noqa: ANN401 - whatever a pipeline declares
    """Return a function that makes the JSON of a new event; None if its class is no model."""
    if not isinstance(event, type):
        return None
    if issubclass(event, BaseModel):

        class EventFactory(ModelFactory[Any]):
            __model__ = event
            __random__ = random
            __use_examples__ = True

        return lambda: bytes(EventFactory.build().model_dump_json(by_alias=True).encode())
    if not hasattr(event, "__struct_fields__"):
        return None
    import msgspec  # noqa: PLC0415 - the pipeline has imported it
    from polyfactory.factories.msgspec_factory import MsgspecFactory  # noqa: PLC0415

    class StructFactory(MsgspecFactory[Any]):
        __model__ = event
        __random__ = random

    return lambda: bytes(msgspec.json.encode(StructFactory.build()))


def _value(build: Build) -> bytes:
    try:
        return build()
    except FactoryException as error:
        raise Misconfigured(f"--generate: {' '.join(str(error).split())}: produce a FILE") from None


def _accepted(build: Build, trial: Trial, line: int, key: str | None) -> InputRecord:
    detail = ""
    for _ in range(MAX_REJECTED):
        value = _value(build)
        fields = json.loads(value)
        record = InputRecord(line, None if key is None else str(fields[key]).encode(), value)
        result = trial.result(record)
        if result.outcome is not Outcome.REJECTED:
            return record
        detail = result.detail
    raise Misconfigured(
        f"--generate: {MAX_REJECTED} records in a row were rejected, the last one because of {detail}: give the event "
        "model's fields examples that the pipeline accepts, Field(examples=[...]), or produce a FILE"
    )


def _key_field(fields: Mapping[str, Any], pipeline: AnyPipeline, chosen: str | None) -> str | None:
    """Return the event's field whose text is the key: the chosen one, else that of the first table, if it has it."""
    if chosen is not None:
        if chosen not in fields:
            raise Misconfigured(f"--key: got {chosen!r}, expected one of {', '.join(sorted(fields))}")
        return chosen
    names = (sink.key_fields[0] for sink in pipeline.keyed_sinks)
    return next((name for name in names if name in fields), None)
