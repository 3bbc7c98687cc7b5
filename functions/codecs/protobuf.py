"""Protobuf values and keys, by Google's library. Extra: protobuf.

The wire format is decoded by the declared message: unknown fields are ignored, absent ones have their defaults, as
Protobuf's rules of evolution say. From a registry comes only the name of the message that a value is, so that a value
of another message is rejected and not read as the wrong fields.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

from functions.codecs.packages import missing, package
from functions.codecs.proto_names import message_names
from functions.codecs.proto_values import Values
from functions.core.codecs import Decoder, Decoding, FramedCodec, hint, plain_validator
from functions.core.errors import InvalidPipeline, Undecodable
from functions.core.foreign import text_of
from functions.core.registries import Glue, Registry, SchemaType
from functions.core.slice import Headers

MAX_SCHEMAS: Final = 256  # whose names are kept
MAX_VALUES: Final = 100_000
MAX_INDEXES: Final = 32  # levels of messages in messages
MAX_VARINT_BYTES: Final = 10


@dataclass(frozen=True)
class Protobuf(FramedCodec):
    """A Protobuf message.

    An event gets its fields by name: integers, text, bytes, enums by name, Timestamp as datetime, and nothing for
    absent fields that have presence.
    """

    message: str | type[Any]
    """The class that protoc generated, as "package.module:Message", or itself."""

    registry: Registry | None = None
    """The registry whose framing the values have."""

    max_values: int = MAX_VALUES
    """The most fields and items of one message, as two bytes may stand for a message of hundreds."""

    extras: ClassVar[tuple[str, ...]] = ("protobuf",)

    def decoder(self, event: Any) -> Decoder:  # noqa: ANN401 - see Codec
        """See Codec."""
        validate, message = plain_validator(event), self._message()
        values = Values(self.max_values)

        def read(data: bytes) -> Any:  # noqa: ANN401 - a dict
            try:
                return values.of(message.FromString(data))
            except (Undecodable, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - a value out of range, a subclass of the library's errors
                detail = f"not a {message.DESCRIPTOR.full_name}: {type(error).__name__}: {text_of(error)}"
                raise Undecodable(detail + ("" if self.registry else hint(self, data))) from None

        if self.registry is None:
            return lambda data, _headers, _decoding: validate(read(data))
        expected = message.DESCRIPTOR.full_name
        names = lru_cache(MAX_SCHEMAS)(message_names)
        split: Callable[[bytes], tuple[tuple[int, ...] | int, bytes]]
        split = _after_glue_index if isinstance(self.registry, Glue) else _after_indexes

        def decode(data: bytes, _headers: Headers, decoding: Decoding) -> Any:  # noqa: ANN401 - an event
            schema, framed = self.unframed(data, decoding, SchemaType.PROTOBUF)
            index, payload = split(framed)
            written = names(schema.text).get(index, frozenset())
            if expected not in written:
                got = " or ".join(sorted(written)) or f"index {index}, which its schema has not"
                raise Undecodable(f"expected the message {expected}, got {got}")
            return validate(read(payload))

        return decode

    def problems(self, event: Any) -> Iterator[str]:  # noqa: ANN401, ARG002 - see Codec
        """See Codec."""
        problems = list(missing("google.protobuf.message", "protobuf"))
        yield from problems
        if not problems:
            try:
                self._message()
            except InvalidPipeline as error:
                yield str(error)

    def _message(self) -> Any:  # noqa: ANN401 - a generated class
        found: Any = self.message
        if isinstance(self.message, str):
            module, _, name = self.message.partition(":")
            try:
                found = getattr(package(module, "protobuf"), name, None)
            except (ImportError, TypeError, ValueError, InvalidPipeline) as error:
                raise InvalidPipeline(f"codec: Protobuf: message: cannot import {module!r}: {error}") from None
        if not callable(getattr(found, "FromString", None)):
            raise InvalidPipeline(f"codec: Protobuf: message: expected a class that protoc made, got {self.message!r}")
        return found


def _after_indexes(data: bytes) -> tuple[tuple[int, ...], bytes]:
    """Confluent: a count and indexes, as zigzag varints, of the message in its file and of those in it; 0 for [0]."""
    count, data = _varint(data)
    count = _unzigzag(count)
    if not 0 <= count <= MAX_INDEXES:
        raise Undecodable(f"expected at most {MAX_INDEXES} message indexes, got {count}")
    indexes: list[int] = []
    for _ in range(count):
        index, data = _varint(data)
        indexes.append(_unzigzag(index))
    return tuple(indexes) or (0,), data


def _after_glue_index(data: bytes) -> tuple[int, bytes]:
    """Glue: a varint, the index among the names of all messages of the file, sorted."""
    return _varint(data)


def _varint(data: bytes) -> tuple[int, bytes]:
    number = 0
    for position, byte in enumerate(data[:MAX_VARINT_BYTES]):
        number |= (byte & 0x7F) << 7 * position
        if byte < 0x80:  # noqa: PLR2004 - the last byte
            return number, data[position + 1 :]
    raise Undecodable("expected message indexes after the schema's ID")


def _unzigzag(number: int) -> int:
    return number >> 1 ^ -(number & 1)
