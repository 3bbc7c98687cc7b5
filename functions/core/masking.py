"""Masked values: personal data leaves the pipeline only as a keyed hash.

A row model declares it (`ip: Masked`), wherever the text is: in a field, a list, a nested model or under an alias.
`evaluate` applies it to whole columns, so that `process` cannot forget it and does not need the key. Equal values of
one field have equal masks: they can be counted and joined, not read. Masks of different pipelines and fields differ,
unless the fields are declared `Annotated[str, Mask(join="person")]` with the same name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Annotated, Any, Final

from functions.core.column_types import ColumnType, Field, ListOf, Mask, Struct, Text
from functions.core.rows import Keys

Masked = Annotated[str, Mask()]

DIGEST_BYTES: Final = 16  # 128 bits: no collision is expected among a billion values
KEY_BYTES: Final = 32  # of the key of one field


def mask(column: Sequence[str | None], field_key: bytes) -> list[str | None]:
    """Replace each value by 32 hex digits: BLAKE2b as a MAC (RFC 7693) under `field_key`."""
    keyed = blake2b(key=field_key, digest_size=DIGEST_BYTES)
    masked: dict[str | None, str | None] = {}
    for value in set(column):
        if value is None:
            continue
        digest = keyed.copy()  # has hashed the key already
        digest.update(value.encode(errors="surrogatepass"))
        masked[value] = digest.hexdigest()
    return list(map(masked.get, column))


def is_masked(column_type: ColumnType) -> bool:
    """Return whether any value inside a column of this type is masked."""
    match column_type:
        case Text():
            return column_type.mask is not None
        case ListOf():
            return is_masked(column_type.item)
        case Struct():
            return any(is_masked(field.column_type) for field in column_type.fields)
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Masker:
    """Masks the columns of one pipeline. `mask_key`: 16 to 64 bytes."""

    pipeline: str
    mask_key: bytes

    def masked(self, fields: Sequence[Field], columns: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
        """Return the columns of these fields that hold masked values, masked."""
        return {
            field.name: self._column(field.column_type, field.name, columns[field.name])
            for field in fields
            if is_masked(field.column_type)
        }

    def keys(self, column_types: Mapping[str, ColumnType], keys: Keys) -> Keys:
        """Return the keys of a deletion, masked as those of the rows that it deletes."""
        masked = {
            name: self._column(kind, name, [keys[name]])[0] for name, kind in column_types.items() if is_masked(kind)
        }
        return {**keys, **masked}

    def _column(self, column_type: ColumnType, path: str, values: Sequence[Any]) -> list[Any]:
        """Mask the values of a type that holds masked values."""
        if isinstance(column_type, ListOf):
            items = iter(self._column(column_type.item, f"{path}[]", [v for value in values for v in value or ()]))
            return [None if value is None else list(islice(items, len(value))) for value in values]
        if isinstance(column_type, Struct):
            return self._structs(column_type, path, values)
        assert isinstance(column_type, Text) and column_type.mask is not None  # noqa: S101, PT018 - what is_masked selects
        return list(mask(values, self._field_key(column_type.mask, path)))

    def _structs(self, struct: Struct, path: str, values: Sequence[dict[str, Any] | None]) -> list[Any]:
        present = [dict(value) for value in values if value is not None]
        for field in struct.fields:
            if is_masked(field.column_type):
                column = [value[field.name] for value in present]
                masked = self._column(field.column_type, f"{path}.{field.name}", column)
                for value, replacement in zip(present, masked, strict=True):
                    value[field.name] = replacement
        replaced = iter(present)
        return [None if value is None else next(replaced) for value in values]

    def _field_key(self, mark: Mask, path: str) -> bytes:
        scope = f"field\0{self.pipeline}\0{path}" if mark.join is None else f"join\0{mark.join}"
        return blake2b(scope.encode(), key=self.mask_key, digest_size=KEY_BYTES).digest()
