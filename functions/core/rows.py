"""Rows as columns, canonical (see schema), each with the offset and timestamp of the record it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Delete(NamedTuple):
    """A tombstone that deletes the row of `key` from the pipeline's tables; `timestamp` is Kafka's, in milliseconds."""

    offset: int
    timestamp: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Rows:
    """One entry a row in `offsets`, `timestamps` (Kafka's, milliseconds) and each of `columns`."""

    offsets: Sequence[int]
    timestamps: Sequence[int]
    columns: Mapping[str, Sequence[Any]]
    deletes: Sequence[Delete] = ()

    def __len__(self) -> int:
        return len(self.offsets)
