"""A lane: one assigned partition, from its opening to the slice in flight. Pure: time is a parameter.

States
    opening   it is being determined where it begins, or will be at `open_at`
    open      collecting -> in flight -> collecting, or -> waiting for its next attempt -> in flight.
              While it cannot progress the client does not read it (`attached`), and it holds no more than its slice
    stopped   an operator must act; it is opened again from time to time, because that may have happened
One slice is in flight at a time, so that a partition settles in order.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field

from functions.core.errors import Refused, Stop
from functions.core.pipeline import Limits
from functions.core.settle import Settlement
from functions.core.slice import Headers, Slice
from functions.runtimes.worker.attempt import AttemptInFlight
from functions.runtimes.worker.pace import Pace
from functions.runtimes.worker.records import Run


@dataclass(slots=True)
class Lane:
    """`position` is the first offset of the next slice, once it is open. Times are seconds of the monotonic clock."""

    topic: str
    partition: int
    limits: Limits
    pace: Pace
    position: int = -1
    is_open: bool = False
    opening: Future[int] | None = None
    open_at: float = 0.0
    open_failures: int = 0
    attached: bool = False  # the client reads it, unless it is paused
    paused: bool = False
    draining: bool = False  # it is about to be closed: no further slice
    offsets: list[int] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)
    waiting_bytes: int = 0
    oldest: float = 0.0  # when the first waiting record was read
    full_since: float | None = None  # since when it may not read more
    slice_: Slice | None = None  # in flight, or waiting for its next attempt
    slice_bytes: int = 0
    max_slice_bytes: int = 0  # of the next slice; 0 for the pipeline's limit
    settlement: Settlement | None = None  # of `slice_`; keeps what succeeded for the next attempt
    attempt: AttemptInFlight | None = None
    failures: int = 0  # consecutive attempts that made no progress
    retry_at: float = 0.0
    stopped: Stop | None = None
    stopped_timestamp: int = -1  # of the first record that the stop left unsettled, in milliseconds
    log_end: int | None = None  # the offset after the log's last record, by the latest statistics
    fetched: int = -1  # all offsets before it were read, as the client knew when it held no records of this partition

    @property
    def size(self) -> int:
        """Bytes that were read and are not settled."""
        return self.waiting_bytes + self.slice_bytes

    @property
    def unsettled(self) -> int:
        """The first offset that may hold an unsettled record."""
        if self.slice_ is not None:
            return self.slice_.start
        return self.position if self.offsets or not self.attached else max(self.position, self.fetched)

    @property
    def lag(self) -> int | None:
        """The number of the log's records that are not settled; None before it is open and before statistics."""
        known = self.position >= 0 or self.stopped is not None
        return None if self.log_end is None or not known else max(0, self.log_end - max(0, self.unsettled))

    @property
    def oldest_timestamp(self) -> int:
        """The timestamp in milliseconds of the first record that was read and is not settled; -1 if there is none."""
        if self.stopped is not None:
            return self.stopped_timestamp
        waiting = self.timestamps if self.slice_ is None else self.slice_.timestamps
        return waiting[0] if waiting else -1

    @property
    def blocked(self) -> bool:
        """Whether it is pointless to read more: a store is unavailable, or the lane is stopped."""
        return self.stopped is not None or (self.failures > 0 and self.slice_ is not None)

    def to_open(self, now: float) -> bool:
        """Whether to determine now where it begins. Not while its last slice is in flight, which moves the ledger."""
        return not self.is_open and self.opening is None and self.attempt is None and now >= self.open_at

    def opened(self, position: int) -> None:
        """Note where it begins. A stop, if there was one, has been removed."""
        self.position, self.is_open, self.open_failures = position, True, 0
        self.stopped, self.stopped_timestamp, self.failures, self.retry_at = None, -1, 0, 0.0
        self.fetched = -1

    def reopen(self, open_at: float) -> None:
        """Determine again where it begins, at `open_at`."""
        self.is_open, self.open_at = False, open_at
        self.drop_waiting()
        if self.attempt is None:
            self._drop_slice()

    def add(self, run: Run, now: float) -> None:
        """Add records that were read; a lane that the client should not read ignores them."""
        if not self.attached or not self.is_open:
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
        """Return the slice to settle now, if any: one to retry, a full one, or with `hurry` all waiting records.

        Raises Refused if no slice can be made of the records.
        """
        if self.attempt is not None or not self.is_open or self.draining:
            return None
        if self.slice_ is None and self.offsets and (hurry or self._full(now)):
            self._cut()
        return self.slice_ if self.slice_ is not None and now >= self.retry_at else None

    def start(self, settlement: Settlement, attempt: AttemptInFlight) -> None:
        """Note that the slice is being settled."""
        self.settlement, self.attempt = settlement, attempt

    def settled(self, seconds: float) -> None:
        """Note that the slice in flight is settled; the attempt took `seconds`."""
        self.pace.settled(len(self.slice_ or ()), seconds)
        self.attempt, self.failures, self.retry_at, self.max_slice_bytes = None, 0, 0.0, 0
        self._drop_slice()

    def failed(self, retry_at: float, *, progress: bool) -> None:
        """Note that the attempt failed and the slice is to be retried at `retry_at`."""
        self.attempt, self.retry_at = None, retry_at
        self.failures = 1 if progress else self.failures + 1
        if not self.is_open:
            self._drop_slice()

    def stop(self, error: Stop, open_at: float) -> None:
        """Stop settling this partition, and drop its records, because the other lanes need the memory."""
        if self.is_open:
            self.position, self.stopped_timestamp = self.unsettled, self.oldest_timestamp
        self.attempt, self.stopped = None, error
        self.reopen(open_at)

    def drop_waiting(self) -> None:
        """Drop the records that wait. `position` stays, so that they are read again from there."""
        self.waiting_bytes = 0
        for column in (self.offsets, self.timestamps, self.keys, self.values, self.headers):
            column.clear()

    def give_back(self, max_bytes: int) -> None:
        """Drop all records of a lane whose attempts fail. Until one settles, its slices hold at most `max_bytes`."""
        if self.slice_ is not None and self.attempt is None:
            self.pace.cut_off(len(self.slice_))
            self.position, self.max_slice_bytes = self.slice_.start, max_bytes
            self._drop_slice()
        self.drop_waiting()

    def _drop_slice(self) -> None:
        self.slice_, self.slice_bytes, self.settlement = None, 0, None

    def _full(self, now: float) -> bool:
        return (
            len(self.offsets) >= self.pace.records
            or self.waiting_bytes >= (self.max_slice_bytes or self.limits.slice_bytes)
            or now - self.oldest >= self.limits.slice_seconds
        )

    def _cut(self) -> None:
        """Move waiting records, up to the limits, into a slice that starts where the last one ended."""
        n = min(len(self.offsets), self.pace.records)
        if self.max_slice_bytes:
            n = max(1, min(n, n * self.max_slice_bytes // max(1, self.waiting_bytes)))
        start, end = min(self.position, self.offsets[0]), self.offsets[n - 1]
        try:
            self.slice_ = Slice(
                self.topic, self.partition, start, end,
                self.offsets[:n], self.timestamps[:n], self.keys[:n], self.values[:n], self.headers[:n],
            )  # fmt: skip
        except ValueError as error:
            raise Refused(str(error)) from error
        self.slice_bytes = self.waiting_bytes * n // len(self.offsets)
        self.waiting_bytes -= self.slice_bytes
        self.position = end + 1
        for column in (self.offsets, self.timestamps, self.keys, self.values, self.headers):
            del column[:n]
