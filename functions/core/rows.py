"""Rows as canonical columns (see column_types), each row with its record's offset and timestamp."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, NamedTuple

Keys = Mapping[str, str | int]  # the values of the fields that are keys of tables


class Deletion(NamedTuple):
    """A deletion from the pipeline's tables: number `number` of what its record became, of Kafka's `timestamp` (ms)."""

    offset: int
    number: int
    timestamp: int
    keys: Keys


@dataclass(frozen=True, slots=True)
class Rows:
    """One entry per row in `offsets`, `numbers`, `timestamps` (Kafka's, milliseconds) and each of `columns`.

    (offset, number) identifies a row within its partition; both rise. `numbers` counts what one record became, from 0.
    """

    offsets: Sequence[int]
    numbers: Sequence[int]
    timestamps: Sequence[int]
    columns: Mapping[str, Sequence[Any]]
    deletes: Sequence[Deletion] = ()

    def __len__(self) -> int:
        return len(self.offsets)

    def between(self, first: int, last: int) -> "Rows":
        """Return the rows and deletes of the records at offsets [first, last]."""
        begin, end = bisect_left(self.offsets, first), bisect_right(self.offsets, last)
        return Rows(
            self.offsets[begin:end],
            self.numbers[begin:end],
            self.timestamps[begin:end],
            {name: column[begin:end] for name, column in self.columns.items()},
            tuple(delete for delete in self.deletes if first <= delete.offset <= last),
        )

    def without(self, offsets: Collection[int]) -> "Rows":
        """Return the rows and deletes of all records but those at `offsets`."""
        kept = [offset not in offsets for offset in self.offsets]
        return Rows(
            list(compress(self.offsets, kept)),
            list(compress(self.numbers, kept)),
            list(compress(self.timestamps, kept)),
            {name: list(compress(column, kept)) for name, column in self.columns.items()},
            tuple(delete for delete in self.deletes if delete.offset not in offsets),
        )
