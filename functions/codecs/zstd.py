"""Values compressed by Zstandard. Extra: zstd."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from functions.codecs.packages import missing, package
from functions.core.compression import MAX_START_BYTES, Compressed
from functions.core.errors import Undecodable
from functions.core.framing import looks_like
from functions.core.inflating import too_large

MAGIC: Final = b"\x28\xb5\x2f\xfd"
MAX_WINDOW_BYTES: Final = 8 * 1024 * 1024  # RFC 8878 recommends decoders to support, and encoders not to exceed it
PIECE_BYTES: Final = 64  # of input: 4 bytes may expand to a block of 128 KiB


@dataclass(frozen=True)
class Zstd(Compressed):
    """Values compressed by Zstandard, in one frame."""

    extras: ClassVar[tuple[str, ...]] = ("zstd",)

    def inflate(self, data: bytes) -> bytes:
        """See Compressed."""
        if not data.startswith(MAGIC):
            raise Undecodable(f"expected zstd, got {looks_like(data) or 'other bytes'}")
        zstd = self._zstd
        try:
            size = zstd.frame_content_size(data)
            if size > self.max_bytes:
                raise too_large(self.max_bytes)
            if size > 0:  # otherwise unknown; it is part of the frame, so the library checks it
                decompressor = zstd.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
                return bytes(decompressor.decompress(data, allow_extra_data=False))
            return self._stream(data)
        except zstd.ZstdError as error:
            raise Undecodable(f"cannot be decompressed: {error}") from None

    def start(self, data: bytes) -> bytes:
        """See Compressed."""
        zstd = self._zstd
        try:
            reader = zstd.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).stream_reader(data)
            return bytes(reader.read(MAX_START_BYTES))
        except zstd.ZstdError:
            return b""

    def problems(self, event: Any) -> Iterator[str]:  # noqa: ANN401 - see Codec
        """See Codec."""
        yield from missing("zstandard", "zstd")
        yield from super().problems(event)

    @cached_property
    def _zstd(self) -> Any:  # noqa: ANN401 - a module
        return package("zstandard", "zstd")

    def _stream(self, data: bytes) -> bytes:
        """Decompress a frame of unknown size in pieces, so that what exceeds the limit is never in memory."""
        stream = self._zstd.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
        parts: list[bytes] = []
        left = self.max_bytes
        for start in range(0, len(data), PIECE_BYTES):
            if stream.eof:
                raise Undecodable(f"cannot be decompressed: {len(data) - start} bytes follow")
            part = stream.decompress(data[start : start + PIECE_BYTES])
            left -= len(part)
            if left < 0:
                raise too_large(self.max_bytes)
            parts.append(part)
        if not stream.eof:
            raise Undecodable("cannot be decompressed: it is truncated")
        if stream.unused_data:
            raise Undecodable(f"cannot be decompressed: {len(stream.unused_data)} bytes follow")
        return b"".join(parts)
