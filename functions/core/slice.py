"""A slice: a contiguous run of one partition's records, in offset order, held as columns.

Laws: all columns have the same length; offsets rise strictly and are within [start, end]. `start` and `end` may
exceed the records' offsets: compaction and transaction markers leave offsets without records.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import lt

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Slice:
    """Records [start, end] of one partition. Timestamps are Kafka's: milliseconds since 1970, UTC."""

    topic: str
    partition: int
    start: int
    end: int
    offsets: Sequence[int]
    timestamps: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    headers: Sequence[Headers]

    def __post_init__(self) -> None:
        columns = (self.timestamps, self.keys, self.values, self.headers)
        if any(len(column) != len(self.offsets) for column in columns):
            raise ValueError(f"{self}: expected columns of equal length")
        if not all(map(lt, self.offsets, islice(self.offsets, 1, None))):
            raise ValueError(f"{self}: expected rising offsets")
        if self.start > self.end or (
            self.offsets and not self.start <= self.offsets[0] <= self.offsets[-1] <= self.end
        ):
            raise ValueError(f"{self}: expected records within [start, end]")

    def __len__(self) -> int:
        return len(self.offsets)

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition} [{self.start}, {self.end}]"

    def until(self, offset: int) -> "Slice":
        """Return the records up to and including `offset`, which must be at least `start`."""
        if offset >= self.end:
            return self
        count = bisect_right(self.offsets, offset)
        if count == len(self.offsets):  # cut at its own end: no column is copied
            return replace(self, end=offset)
        return Slice(
            self.topic, self.partition, self.start, offset,
            self.offsets[:count], self.timestamps[:count], self.keys[:count], self.values[:count], self.headers[:count],
        )  # fmt: skip

    def since(self, offset: int) -> "Slice":
        """Return the records from `offset` on, which must be at most `end`."""
        if offset <= self.start:
            return self
        first = bisect_left(self.offsets, offset)
        return Slice(
            self.topic, self.partition, offset, self.end,
            self.offsets[first:], self.timestamps[first:], self.keys[first:], self.values[first:], self.headers[first:],
        )  # fmt: skip
