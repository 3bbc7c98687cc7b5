"""Decompression in bounded memory: a few bytes may expand to gigabytes."""

import zlib
from typing import Final

from functions.core.errors import Undecodable

MAX_INFLATED_BYTES: Final = 16 * 1024 * 1024
MAX_PARTS: Final = 100  # of gzip data: each one costs a copy of all that follow
GZIP: Final = 16 + zlib.MAX_WBITS


def inflate(data: bytes, max_bytes: int, wbits: int) -> bytes:
    """Return the decompressed bytes of zlib or (wbits: GZIP) gzip, in one part or several.

    Raises Undecodable if they are more than `max_bytes`, truncated, damaged, or followed by anything else.
    """
    parts: list[bytes] = []
    left = max_bytes
    for _ in range(MAX_PARTS):
        stream = zlib.decompressobj(wbits)
        try:
            part = stream.decompress(data, left + 1)
        except zlib.error as error:
            raise Undecodable(f"cannot be decompressed: {error}") from None
        left -= len(part)
        if left < 0:
            raise too_large(max_bytes)
        if not stream.eof:
            raise Undecodable("cannot be decompressed: it is truncated")
        parts.append(part)
        data = stream.unused_data
        if not data:
            return b"".join(parts)
        if wbits != GZIP:
            raise Undecodable(f"cannot be decompressed: {len(data)} bytes follow")
    raise Undecodable(f"cannot be decompressed: expected at most {MAX_PARTS} parts")


def inflated_start(data: bytes, size: int, wbits: int) -> bytes:
    """Return the first bytes, as many as can be had cheaply; none of damaged data."""
    try:
        return zlib.decompressobj(wbits).decompress(data, size)
    except zlib.error:
        return b""


def too_large(max_bytes: int) -> Undecodable:
    """Return the error for a value that expands too much."""
    return Undecodable(f"expected at most {max_bytes} bytes after decompression, got more")
