"""A slice: a contiguous run of one partition's records, in offset order, held as columns.

Laws: all columns have the same length; offsets rise strictly and lie in [start, end]. `start` and `end` may
reach beyond the records: compaction and transaction markers leave offsets that hold none.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
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
            raise ValueError(f"{self}: columns differ in length")
        if not all(map(lt, self.offsets, islice(self.offsets, 1, None))):
            raise ValueError(f"{self}: offsets do not rise")
        if self.start > self.end or (
            self.offsets and not self.start <= self.offsets[0] <= self.offsets[-1] <= self.end
        ):
            raise ValueError(f"{self}: records lie outside of it")

    def __len__(self) -> int:
        return len(self.offsets)

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition} [{self.start}, {self.end}]"

    def until(self, offset: int) -> "Slice":
        """The part up to and including `offset`, which must lie in the slice."""
        if offset >= self.end:
            return self
        to = bisect_right(self.offsets, offset)
        return Slice(
            self.topic, self.partition, self.start, offset,
            self.offsets[:to], self.timestamps[:to], self.keys[:to], self.values[:to], self.headers[:to],
        )  # fmt: skip

    def since(self, offset: int) -> "Slice":
        """The part at and after `offset`, which must not lie beyond `end`."""
        if offset <= self.start:
            return self
        at = bisect_left(self.offsets, offset)
        return Slice(
            self.topic, self.partition, offset, self.end,
            self.offsets[at:], self.timestamps[at:], self.keys[at:], self.values[at:], self.headers[at:],
        )  # fmt: skip
