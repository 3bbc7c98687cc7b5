"""The records that wait for a batch to close.

Follows AWS, "How Lambda processes records from stream and queue-based event sources" (batching behavior): a batch is
closed when the window is over, when the batch size is met, or when the payload reaches 6 MB. The window begins as soon
as the first record arrives.

Chosen here: for records left over from a batch, the window begins when that batch closes; a batch closes just before
6 MB by an upper bound of its size; a single record above that makes a separate batch.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from confluent_kafka import Message

from sandbox.event_source.event import PAYLOAD_LIMIT, partition_of, size_bound

ENVELOPE: Final = 4096  # bytes kept free for the event's names, ARN and bootstrap servers
ROOM: Final = PAYLOAD_LIMIT - ENVELOPE
MAX_BATCHES: Final = 8  # a full backlog pauses its partitions, which discards fetched records: not too often
MAX_BYTES: Final = 4 * PAYLOAD_LIMIT


@dataclass(slots=True)
class Backlog:
    """Waiting records, in order of arrival. `window` and every `now` are seconds of one monotonic clock."""

    batch_size: int
    window: float
    _records: list[Message] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)
    _bytes: int = 0
    _opened: float = 0.0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Iterable[Message], now: float) -> None:
        """Add records; those of one partition must be in offset order."""
        if not self._records:
            self._opened = now
        self._records.extend(records)
        new_sizes = list(map(size_bound, self._records[len(self._sizes) :]))
        self._sizes += new_sizes
        self._bytes += sum(new_sizes)

    def due(self, now: float) -> bool:
        """Whether a batch must be closed now."""
        if len(self._records) >= self.batch_size or self._bytes >= ROOM:
            return True
        return bool(self._records) and now - self._opened >= self.window

    @property
    def full(self) -> bool:
        """Whether reading more would only use memory."""
        return len(self._records) >= MAX_BATCHES * self.batch_size or self._bytes >= MAX_BYTES

    def take(self, now: float) -> list[Message]:
        """Close a batch: at most batch_size records that fit, at least one."""
        fit = bisect_right(list(accumulate(self._sizes[: self.batch_size])), ROOM)
        taken = max(fit, 1)
        records = self._records[:taken]
        self._keep(self._records[taken:], self._sizes[taken:])
        self._opened = now
        return records

    def drop(self, partitions: Collection[int]) -> None:
        """Discard the records of partitions that were lost."""
        kept = [i for i, record in enumerate(self._records) if partition_of(record) not in partitions]
        self._keep([self._records[i] for i in kept], [self._sizes[i] for i in kept])

    def _keep(self, records: list[Message], sizes: list[int]) -> None:
        self._records, self._sizes, self._bytes = records, sizes, sum(sizes)
