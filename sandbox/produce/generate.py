"""Records from a pipeline's event model: random values that its fields allow, or the examples that they name.

Law: a record is one that the pipeline accepts; what `process` rejects is generated anew. polyfactory knows the models'
types and limits; only the model's author knows more, and says so by `Field(examples=[...])`.
"""

import json
from collections.abc import Iterator
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
    event: Any = pipeline.event  # whatever pydantic validates, and not always a class
    if pipeline.codec is not JSON or not (isinstance(event, type) and issubclass(event, BaseModel)):
        raise Misconfigured(
            f"--generate: {pipeline.name} decodes values by {type(pipeline.codec).__name__} to "
            f"{getattr(event, '__name__', event)}, expected JSON and a pydantic model: produce a FILE"
        )
    key = _key_field(pipeline, options.key)
    random = Random(f"{options.seed}/{pipeline.name}")  # noqa: S311 - reproducible on purpose
    factory = _factory(event, random)
    trial = Trial(pipeline, {}, lambda: datetime.now(UTC))
    for line in range(1, options.count + 1):
        if random.random() < options.invalid:
            yield InputRecord(line, None, random.choice(BROKEN))
        else:
            yield _accepted(factory, trial, line, key)


def _factory(event: type[BaseModel], random: Random) -> type[ModelFactory[Any]]:
    class EventFactory(ModelFactory[Any]):
        __model__ = event
        __random__ = random
        __use_examples__ = True

    return EventFactory


def _accepted(factory: type[ModelFactory[Any]], trial: Trial, line: int, key: str | None) -> InputRecord:
    detail = ""
    for _ in range(MAX_REJECTED):
        try:
            value = factory.build().model_dump_json(by_alias=True).encode()
        except FactoryException as error:
            raise Misconfigured(f"--generate: {' '.join(str(error).split())}: produce a FILE") from None
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


def _key_field(pipeline: AnyPipeline, chosen: str | None) -> str | None:
    """Return the event's field whose text is the key: the chosen one, else that of the first table, if it has it."""
    fields = {field.alias or name for name, field in pipeline.event.model_fields.items()}
    if chosen is not None:
        if chosen not in fields:
            raise Misconfigured(f"--key: got {chosen!r}, expected one of {', '.join(sorted(fields))}")
        return chosen
    names = (sink.key_fields[0] for sink in pipeline.keyed_sinks)
    return next((name for name in names if name in fields), None)
