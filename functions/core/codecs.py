"""Codecs: the bytes of a value, or of a key, become an event. `Codec` is public: subclass it for a format of your own.

    class Csv(Codec):
        def decoder(self, event: type[Event]) -> Decoder[Event]:
            validate = plain_validator(event)

            def decode(data: bytes, headers: Headers, decoding: Decoding) -> Event:
                fields = data.decode().split(",")
                if len(fields) != 2:
                    raise Undecodable(f"expected 2 fields, got {len(fields)}")
                return validate({"user": fields[0], "page": fields[1]})

            return decode

Laws: a decoder is pure, so that both runtimes decode the same bytes to the same event; it raises Undecodable or
what `plain_validator` raises for bytes that are none, and whatever else it raises rejects the record as well. Codecs
that need a package are in `functions.codecs`; each package is an extra of Tandem.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

from functions.core import framing
from functions.core.model_kinds import kind_of
from functions.core.registries import KnownSchemas, Registry, SchemaId, SchemaType, WriterSchema, writer_schema
from functions.core.slice import Headers


@dataclass(slots=True)
class Decoding:
    """What decoding one slice has: the registered schemas that its records name.

    `inflated`: the bytes that were decompressed so far. A codec that decompresses adds to it: the slice ends when they
    exceed the pipeline's `slice_bytes`.
    """

    schemas: KnownSchemas = field(default_factory=dict)
    inflated: int = 0


Decoder = Callable[[bytes, Headers, Decoding], Any]


class Codec(ABC):
    """Bytes -> event. A frozen dataclass, compared by value; it imports what it needs when a decoder is made."""

    extras: ClassVar[tuple[str, ...]] = ()  # the extras of Tandem with the packages that it needs

    @abstractmethod
    def decoder(self, event: Any) -> Decoder:  # noqa: ANN401 - any type that pydantic validates
        """Return a function of (bytes, the record's headers, Decoding) that returns an event. Called once a process.

        `event`: the pipeline's event type; `Any` for a key, which stays what the format makes of it.
        """

    def problems(self, event: Any) -> Iterator[str]:  # noqa: ANN401, ARG002 - as `decoder`
        """Yield what is wrong with the declaration: without a package, or with a schema that is none."""
        return iter(())

    def parts(self) -> Iterator["Codec"]:
        """Yield this codec and those that it passes bytes on to."""
        yield self

    @property
    def registry_used(self) -> Registry | None:
        """The registry of the schemas that values name."""
        return None

    @property
    def writes(self) -> bool:
        """Whether it encodes rows for output topics, too: then `writer` is implemented."""
        return False

    def writer(self, schema: WriterSchema, fields: Sequence[str]) -> Callable[[Mapping[str, Any]], bytes]:
        """Return a function that encodes a row by a registered schema, or raises Undecodable if the row does not fit.

        Raises Undecodable itself unless rows with these fields can fit.
        """
        raise NotImplementedError

    def schema_id(self, data: bytes, headers: Headers) -> SchemaId | None:  # noqa: ARG002 - of others
        """Return the ID of the schema that must be looked up before `data` is decoded; None if there is none."""
        return None


class FramedCodec(Codec):
    """A codec whose values may name their schema in a registry. A subclass is a dataclass with a field `registry`."""

    registry: Registry | None

    @property
    def registry_used(self) -> Registry | None:
        """See Codec."""
        return self.registry

    def schema_id(self, data: bytes, headers: Headers) -> SchemaId | None:  # noqa: ARG002 - see Codec
        """See Codec."""
        return None if self.registry is None else self.registry.schema_id(data)

    def unframed(self, data: bytes, decoding: Decoding, expected: SchemaType) -> tuple[WriterSchema, bytes]:
        """Return the schema that bytes name, and the bytes after the framing. Raises Undecodable."""
        registry = cast("Registry", self.registry)
        payload = registry.payload(data)
        decoding.inflated += max(0, len(payload) - len(data))
        return writer_schema(decoding.schemas, registry, data, expected), payload


@dataclass(frozen=True)
class Json(Codec):
    """UTF-8 JSON."""

    def decoder(self, event: Any) -> Decoder:  # noqa: ANN401 - see Codec
        """See Codec."""
        validate = json_validator(event)
        return lambda data, _headers, _decoding: validate(data)


@dataclass(frozen=True)
class Raw(Codec):
    """The bytes as they are: the event is `bytes`."""

    def decoder(self, event: Any) -> Decoder:  # noqa: ANN401, ARG002 - see Codec
        """See Codec."""
        return lambda data, _headers, _decoding: data

    def problems(self, event: Any) -> Iterator[str]:  # noqa: ANN401 - see Codec
        """See Codec."""
        if event is not bytes:
            yield f"event: expected bytes, as the codec is Raw(), got {event!r}"


JSON: Final = Json()


def json_validator(event: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 - see Codec
    """JSON bytes -> event, or an error of the library of its models, which rejects the record."""
    return kind_of(event).json_validator(event)


def plain_validator(event: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - see Codec
    """Python values, as a format's library makes them -> event, or an error of the library of its models."""
    return kind_of(event).plain_validator(event)


def hint(codec: Codec, data: bytes) -> str:
    """Return what the bytes look like instead of the codec's format; empty if nothing is known."""
    found = framing.looks_like(data)
    if found is None or (found == framing.JSON and isinstance(codec, Json)):
        return ""
    return f"; it looks like {found}, but the codec is {type(codec).__name__}"
