"""Avro values and keys, by fastavro. Extra: avro.

With a registry each record is read by the schema that it was written with; fields are matched to the event by name.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, ClassVar, Final

from functions.codecs.avro_size import check_expansion
from functions.codecs.packages import missing, package
from functions.core.codecs import Decoder, Decoding, FramedCodec, hint, plain_validator
from functions.core.errors import Undecodable
from functions.core.foreign import text_of
from functions.core.registries import Registry, SchemaType, WriterSchema
from functions.core.slice import Headers

MAX_SCHEMAS: Final = 256  # that are kept parsed
Read = Callable[[bytes], Any]


@dataclass(frozen=True)
class Avro(FramedCodec):
    """Avro's binary encoding of one value."""

    registry: Registry | None = None
    """The registry whose framing the values have; they name the writer's schema there."""

    schema: str | None = None
    """Avro's JSON: the schema that values are read as, by Avro's rules of resolution.

    Needed without a registry, where it is the writer's, too. With a registry omit it, unless the events need Avro's
    aliases or defaults.
    """

    extras: ClassVar[tuple[str, ...]] = ("avro",)

    def decoder(self, event: Any) -> Decoder:  # noqa: ANN401 - see Codec
        """See Codec."""
        validate, reader = plain_validator(event), self._parsed(self.schema)
        if self.registry is None:
            read = _reader(reader, None)
            return lambda data, _headers, _decoding: validate(self._read(read, data))

        @lru_cache(MAX_SCHEMAS)
        def reader_of(writer: WriterSchema) -> Read:
            return _reader(self._writer(writer), reader)

        def decode(data: bytes, _headers: Headers, decoding: Decoding) -> Any:  # noqa: ANN401 - an event
            schema, payload = self.unframed(data, decoding, SchemaType.AVRO)
            return validate(self._read(reader_of(schema), payload))

        return decode

    @property
    def writes(self) -> bool:
        """See Codec."""
        return True

    def writer(self, schema: WriterSchema, fields: Sequence[str]) -> Callable[[Mapping[str, Any]], bytes]:
        """See Codec. Field by field: a row has no field that the schema lacks, and lacks none without a default."""
        if schema.type is not SchemaType.AVRO:
            raise Undecodable(f"it is {schema.type.value}, but the codec is for AVRO")
        parsed, write = self._writer(schema), package("fastavro", "avro").schemaless_writer
        declared = {each["name"]: each for each in parsed.get("fields", ())} if isinstance(parsed, dict) else {}
        needed = {name for name, each in declared.items() if "default" not in each}
        if wrong := sorted(set(fields) - declared.keys()):
            raise Undecodable(f"it has no field {', '.join(wrong)}")
        if wrong := sorted(needed - set(fields)):
            raise Undecodable(f"the row has no field {', '.join(wrong)}")

        def encode(row: Mapping[str, Any]) -> bytes:
            stream = BytesIO()
            try:
                write(stream, parsed, row, strict_allow_default=True)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - fastavro raises whatever a value leads to
                raise Undecodable(f"does not fit its Avro schema: {type(error).__name__}: {text_of(error)}") from None
            return stream.getvalue()

        return encode

    def problems(self, event: Any) -> Iterator[str]:  # noqa: ANN401, ARG002 - see Codec
        """See Codec."""
        problems = list(missing("fastavro", "avro"))
        yield from problems
        if self.registry is None and self.schema is None:
            yield "codec: Avro: expected a registry or a schema"
        if not problems and self.schema is not None:
            try:
                check_expansion(self._parsed(self.schema))
            except Undecodable as error:
                yield f"codec: Avro: schema: {error}"

    def _read(self, read: Read, data: bytes) -> Any:  # noqa: ANN401 - any Avro value
        try:
            return read(data)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - fastavro raises whatever the bytes lead to
            detail = text_of(error) if isinstance(error, Undecodable) else f"{type(error).__name__}: {text_of(error)}"
            looks_like = "" if self.registry else hint(self, data)
            raise Undecodable(f"not a value of the Avro schema: {detail}{looks_like}") from None

    def _writer(self, writer: WriterSchema) -> Any:  # noqa: ANN401 - a parsed schema
        named: dict[str, Any] = {}
        for name, text in writer.references:
            _parse(text, named, f"the reference {name!r}")
        return _parse(writer.text, named, "the registered schema")

    @staticmethod
    def _parsed(text: str | None) -> Any:  # noqa: ANN401 - a parsed schema, None without a text
        return None if text is None else _parse(text, {}, "the declared schema")


def _parse(text: str, named: dict[str, Any], what: str) -> Any:  # noqa: ANN401 - a parsed schema
    try:
        parsed = package("fastavro.schema", "avro").parse_schema(json.loads(text), named_schemas=named)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a hostile schema leads to
        raise Undecodable(f"{what} is no Avro schema: {type(error).__name__}: {text_of(error)}") from None
    return parsed


def _reader(writer: Any, reader: Any) -> Read:  # noqa: ANN401 - parsed schemas
    """Return a function that reads one value and nothing after it.

    fastavro's compiled reader overflows the stack on values of a recursive schema that are nested deeply. Its reader in
    Python raises RecursionError instead, and is used for these schemas.
    """
    recursive = check_expansion(writer)
    module = package("fastavro._read_py" if recursive else "fastavro", "avro")

    def read(data: bytes) -> Any:  # noqa: ANN401 - any Avro value
        stream = BytesIO(data)
        value = module.schemaless_reader(stream, writer, reader)
        if left := len(data) - stream.tell():
            raise Undecodable(f"{left} bytes follow")
        return value

    return read
