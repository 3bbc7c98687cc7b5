"""A lane: one assigned partition, from the records that were read to the slice in flight. Pure; time is passed in.

States: gathering -> in flight -> gathering, or -> waiting (a store was unavailable) -> in flight, or -> stopped.
One slice is in flight at a time, so that a partition settles in order.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field

from functions.core.errors import Stop
from functions.core.pipeline import Limits
from functions.core.settle import Settled
from functions.core.slice import Headers, Slice
from functions.runtimes.worker.records import Run


@dataclass(slots=True)
class Lane:
    """Times are of the monotonic clock, in seconds. `position` is where the next slice starts."""

    topic: str
    partition: int
    position: int
    limits: Limits
    offsets: list[int] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)
    waiting_bytes: int = 0
    oldest: float = 0.0  # when the first record that waits was read
    part: Slice | None = None  # in flight, or waiting to be tried again
    part_bytes: int = 0
    future: Future[Settled] | None = None
    began: float = 0.0  # when the attempt in flight began
    attempts: int = 0  # failed ones, of `part`
    retry_at: float = 0.0
    stopped: Stop | None = None
    stopped_timestamp: int = -1  # of the first record that the stop left unsettled
    paused: bool = False
    log_end: int | None = None  # one beyond the last record of the log, by the latest statistics

    @property
    def size(self) -> int:
        """Bytes that are read and not settled."""
        return self.waiting_bytes + self.part_bytes

    @property
    def unsettled(self) -> int:
        """The first offset that is not settled."""
        return self.position if self.part is None else self.part.start

    @property
    def lag(self) -> int | None:
        """How many records of the log are not settled; None before the first statistics."""
        return None if self.log_end is None else max(0, self.log_end - max(0, self.unsettled))

    @property
    def oldest_timestamp(self) -> int:
        """Kafka's timestamp of the first record that was read and is not settled, in milliseconds; -1 if none is."""
        if self.stopped is not None:
            return self.stopped_timestamp
        waiting = self.timestamps if self.part is None else self.part.timestamps
        return waiting[0] if waiting else -1

    @property
    def blocked(self) -> bool:
        """Whether reading on is pointless: a store is unavailable, or the lane is stopped."""
        return self.stopped is not None or self.attempts > 0

    def add(self, run: Run, now: float) -> None:
        """Take records that were read; a lane that is stopped has no use for them."""
        if self.stopped is not None:
            return
        if not self.offsets:
            self.oldest = now
        self.offsets += run.offsets
        self.timestamps += run.timestamps
        self.keys += run.keys
        self.values += run.values
        self.headers += run.headers
        self.waiting_bytes += run.size

    def next_slice(self, now: float, *, hurry: bool = False) -> Slice | None:
        """The slice to settle now, if there is one: one to try again, or a full one, or in a `hurry` what there is."""
        if self.future is not None or self.stopped is not None:
            return None
        if self.part is None and self.offsets and (hurry or self._full(now)):
            self._cut()
        return self.part if self.part is not None and now >= self.retry_at else None

    def start(self, future: Future[Settled], now: float) -> None:
        """The slice is being settled."""
        self.future, self.began = future, now

    def settled(self) -> None:
        """The slice in flight is settled."""
        self.future, self.part, self.part_bytes, self.attempts, self.retry_at = None, None, 0, 0, 0.0

    def failed(self, retry_at: float) -> None:
        """The slice is to be tried again."""
        self.future, self.attempts, self.retry_at = None, self.attempts + 1, retry_at

    def stop(self, error: Stop) -> None:
        """Nothing of this partition is settled any more, so it keeps no records: the other lanes need the room."""
        self.position, self.stopped_timestamp = self.unsettled, self.oldest_timestamp
        self.future, self.part, self.part_bytes, self.waiting_bytes, self.stopped = None, None, 0, 0, error
        for column in (self.offsets, self.timestamps, self.keys, self.values, self.headers):
            column.clear()

    def _full(self, now: float) -> bool:
        limits = self.limits
        return (
            len(self.offsets) >= limits.slice_records
            or self.waiting_bytes >= limits.slice_bytes
            or now - self.oldest >= limits.slice_seconds
        )

    def _cut(self) -> None:
        """Move up to `slice_records` of the waiting records into a slice that starts where the last one ended."""
        n = min(len(self.offsets), self.limits.slice_records)
        start, end = min(self.position, self.offsets[0]), self.offsets[n - 1]
        self.part = Slice(
            self.topic, self.partition, start, end,
            self.offsets[:n], self.timestamps[:n], self.keys[:n], self.values[:n], self.headers[:n],
        )  # fmt: skip
        self.part_bytes = self.waiting_bytes * n // len(self.offsets)
        self.waiting_bytes -= self.part_bytes
        self.position = end + 1
        for column in (self.offsets, self.timestamps, self.keys, self.values, self.headers):
            del column[:n]
