"""Compressed values. A value that expands beyond `max_bytes` is rejected, in bounded memory.

`Gzip(inner)`: every value is compressed. `ByHeader(...)`: a header of the record says how. Zstandard is in
`functions.codecs.zstd`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from functions.core.codecs import Codec, Decoder, Decoding, Json
from functions.core.errors import Undecodable
from functions.core.framing import looks_like
from functions.core.inflating import GZIP, MAX_INFLATED_BYTES, inflate, inflated_start
from functions.core.registries import SchemaId
from functions.core.slice import Headers

MAX_START_BYTES: Final = 18  # of the longest framing: see registries
MAX_SHOWN_CHARACTERS: Final = 50


@dataclass(frozen=True)
class Compressed(Codec):
    """Bytes that are decompressed, then decoded by `inner`."""

    inner: Codec = field(default_factory=Json)
    """Decodes the decompressed bytes."""

    max_bytes: int = MAX_INFLATED_BYTES
    """The most bytes of a decompressed value."""

    @abstractmethod
    def inflate(self, data: bytes) -> bytes:
        """Return the decompressed bytes. Raises Undecodable if they are more than `max_bytes`, or damaged."""

    @abstractmethod
    def start(self, data: bytes) -> bytes:
        """Return the first MAX_START_BYTES decompressed bytes; fewer of damaged data."""

    def decoder(self, event: Any) -> Decoder:  # noqa: ANN401 - see Codec
        """See Codec."""
        decode_inner, inflate_ = self.inner.decoder(event), self.inflate

        def decode(data: bytes, headers: Headers, decoding: Decoding) -> Any:  # noqa: ANN401 - an event
            inflated = inflate_(data)
            decoding.inflated += len(inflated)
            return decode_inner(inflated, headers, decoding)

        return decode

    def problems(self, event: Any) -> Iterator[str]:  # noqa: ANN401 - see Codec
        """See Codec."""
        if self.max_bytes < 1:
            yield f"codec: max_bytes: expected a number above 0, got {self.max_bytes}"
        yield from self.inner.problems(event)

    def parts(self) -> Iterator[Codec]:
        """See Codec."""
        yield self
        yield from self.inner.parts()

    def schema_id(self, data: bytes, headers: Headers) -> SchemaId | None:
        """See Codec."""
        if all(part.registry_used is None for part in self.inner.parts()):
            return None
        return self.inner.schema_id(self.start(data), headers)


@dataclass(frozen=True)
class Gzip(Compressed):
    """Values compressed by gzip."""

    def inflate(self, data: bytes) -> bytes:
        """See Compressed."""
        if not data.startswith(b"\x1f\x8b"):
            raise Undecodable(f"expected gzip, got {looks_like(data) or 'other bytes'}")
        return inflate(data, self.max_bytes, GZIP)

    def start(self, data: bytes) -> bytes:
        """See Compressed."""
        return inflated_start(data, MAX_START_BYTES, GZIP)


@dataclass(frozen=True)
class ByHeader(Codec):
    """The codec that a header's value names: `ByHeader({"gzip": Gzip(), "zstd": Zstd()})`."""

    codecs: Mapping[str, Codec]
    """The codec of each value of the header. Records with another value are rejected."""

    otherwise: Codec | None = field(default_factory=Json)
    """Decodes records without the header; None rejects them."""

    header: str = "content-encoding"
    """The header."""

    def decoder(self, event: Any) -> Decoder:  # noqa: ANN401 - see Codec
        """See Codec."""
        decoders = {choice: codec.decoder(event) for choice, codec in self._choices().items()}

        def decode(data: bytes, headers: Headers, decoding: Decoding) -> Any:  # noqa: ANN401 - an event
            choice = self._choice(headers)
            decoder = decoders.get(choice)
            if decoder is None:
                expected, got = " or ".join(self.codecs), (choice or "none")[:MAX_SHOWN_CHARACTERS]
                raise Undecodable(f"header {self.header}: expected {expected}, got {got!r}")
            return decoder(data, headers, decoding)

        return decode

    def problems(self, event: Any) -> Iterator[str]:  # noqa: ANN401 - see Codec
        """See Codec."""
        if not self.codecs:
            yield "codec: ByHeader: expected at least one codec"
        for part in self._choices().values():
            yield from part.problems(event)

    def parts(self) -> Iterator[Codec]:
        """See Codec."""
        yield self
        for part in self._choices().values():
            yield from part.parts()

    def schema_id(self, data: bytes, headers: Headers) -> SchemaId | None:
        """See Codec."""
        codec = self._choices().get(self._choice(headers))
        return None if codec is None else codec.schema_id(data, headers)

    def _choices(self) -> dict[str | None, Codec]:
        choices: dict[str | None, Codec] = {name.lower(): codec for name, codec in self.codecs.items()}
        return choices | ({} if self.otherwise is None else {None: self.otherwise})

    def _choice(self, headers: Headers) -> str | None:
        name = self.header.lower()
        found = next((value for header, value in reversed(headers) if header.lower() == name), None)
        return None if found is None else found.decode("latin-1").strip().lower()
