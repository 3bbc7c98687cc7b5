"""JSON values that name a JSON Schema, checked by jsonschema. Extra: jsonschema. Slower than `Json()` by far."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json

from functions.codecs.packages import missing, package
from functions.core.codecs import Decoder, Decoding, FramedCodec, json_validator
from functions.core.errors import Undecodable
from functions.core.foreign import text_of
from functions.core.registries import Registry, SchemaType, WriterSchema
from functions.core.slice import Headers

MAX_SCHEMAS: Final = 256  # that are kept parsed
Check = Callable[[Any], Any]  # a value -> the first error, or None


@dataclass(frozen=True)
class JsonSchema(FramedCodec):
    """JSON that matches a schema, and then the event.

    Draft 7 unless `$schema` names another. Nothing is fetched: a `$ref` is to the schema itself or a registered
    reference.
    """

    registry: Registry | None = None
    """The registry whose framing the values have; they name their schema there."""

    schema: str | None = None
    """The schema as JSON text, without a registry."""

    extras: ClassVar[tuple[str, ...]] = ("jsonschema",)

    def decoder(self, event: Any) -> Decoder:  # noqa: ANN401 - see Codec
        """See Codec."""
        validate = json_validator(event)

        def checked(check: Check, data: bytes) -> Any:  # noqa: ANN401 - an event
            validated = validate(data)
            _raise_first(check, data)
            return validated

        if self.registry is None:
            declared = _check_of(self._declared())
            return lambda data, _headers, _decoding: checked(declared, data)
        check_of = lru_cache(MAX_SCHEMAS)(_check_of)

        def decode(data: bytes, _headers: Headers, decoding: Decoding) -> Any:  # noqa: ANN401 - an event
            schema, payload = self.unframed(data, decoding, SchemaType.JSON)
            return checked(check_of(schema), payload)

        return decode

    @property
    def writes(self) -> bool:
        """See Codec."""
        return True

    def writer(self, schema: WriterSchema, fields: Sequence[str]) -> Callable[[Mapping[str, Any]], bytes]:  # noqa: ARG002 - the schema says
        """See Codec. The row as JSON, which must match the schema."""
        if schema.type is not SchemaType.JSON:
            raise Undecodable(f"it is {schema.type.value}, but the codec is for JSON")
        check = _check_of(schema)

        def encode(row: Mapping[str, Any]) -> bytes:
            data = to_json(row)
            try:
                _raise_first(check, data)
            except ValidationError as error:
                (problem,) = error.errors(include_url=False)
                place = ".".join(map(str, problem["loc"]))
                raise Undecodable(f"{place}: {problem['msg']}" if place else problem["msg"]) from None
            return data

        return encode

    def problems(self, event: Any) -> Iterator[str]:  # noqa: ANN401, ARG002 - see Codec
        """See Codec."""
        problems = list(missing("jsonschema", "jsonschema"))
        yield from problems
        if (self.registry is None) == (self.schema is None):
            yield "codec: JsonSchema: expected a registry or a schema, and not both"
        elif self.schema is not None and not problems:
            try:
                _check_of(self._declared())
            except Undecodable as error:
                yield f"codec: JsonSchema: schema: {error}"

    def _declared(self) -> WriterSchema:
        return WriterSchema(SchemaType.JSON, self.schema or "true")


def _check_of(schema: WriterSchema) -> Check:
    jsonschema, referencing = package("jsonschema", "jsonschema"), package("referencing", "jsonschema")
    draft7 = package("referencing.jsonschema", "jsonschema").DRAFT7
    try:
        contents = json.loads(schema.text)
        resources = [
            (name, referencing.Resource.from_contents(json.loads(text), default_specification=draft7))
            for name, text in schema.references
        ]
        validator = jsonschema.validators.validator_for(contents, default=jsonschema.Draft7Validator)
        validator.check_schema(contents)
        # A separate registry: the default one of jsonschema fetches references from the network.
        checker = validator(contents, registry=referencing.Registry().with_resources(resources))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a hostile schema leads to
        raise Undecodable(f"no JSON Schema: {type(error).__name__}: {_line(error)}") from None
    return lambda value: next(checker.iter_errors(value), None)


def _raise_first(check: Check, data: bytes) -> None:
    """Raise ValidationError for the first error, without the value: only the dead letter may hold it."""
    try:
        error = check(json.loads(data))
    except MemoryError:
        raise
    except Exception as failure:  # noqa: BLE001 - an unresolved reference, too many levels
        detail = f"cannot be checked against its JSON Schema: {type(failure).__name__}: {_line(failure)}"
        raise Undecodable(detail) from None
    if error is not None:
        message = f"does not match the keyword {error.validator!r} of its JSON Schema"
        problem = PydanticCustomError("json_schema", "{message}", {"message": message})
        location = tuple(error.absolute_path)
        details = InitErrorDetails(type=problem, loc=location, input=None)
        raise ValidationError.from_exception_data("JsonSchema", [details])


def _line(error: Exception) -> str:
    return text_of(error).partition("\n")[0]
