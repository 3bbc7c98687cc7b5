"""Masked fields: what identifies a person leaves the pipeline only as a keyed hash.

A row model declares it (`ip: Masked`), and `evaluate` applies it to the whole column, so no `process` can forget it and
none needs the key. Equal values stay equal under one key: masked columns can be joined and counted, not read.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Final, get_args

from pydantic.fields import FieldInfo


class Mask:
    """The marker in a field's metadata."""


Masked = Annotated[str, Mask()]

DIGEST_BYTES: Final = 16  # 128 bits: no two of a billion values are expected to meet


def mask(column: Sequence[str | None], key: bytes) -> list[str | None]:
    """Replace each value by 32 hex digits: BLAKE2b as a MAC (RFC 7693) under `key` (16 to 64 bytes)."""
    keyed = blake2b(key=key, digest_size=DIGEST_BYTES)
    masked: dict[str | None, str | None] = {}
    for value in set(column):
        if value is None:
            continue
        digest = keyed.copy()  # the key is hashed in already
        digest.update(value.encode(errors="surrogatepass"))
        masked[value] = digest.hexdigest()
    return list(map(masked.get, column))


def is_masked(field: FieldInfo) -> bool:
    """Whether a field is declared `Masked`, also as `Masked | None`."""
    return any(isinstance(mark, Mask) for mark in field.metadata) or any(
        isinstance(mark, Mask) for option in get_args(field.annotation) for mark in getattr(option, "__metadata__", ())
    )
