"""Producing the records in a thread, at a planned pace, and recording where the broker put each."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final, NamedTuple
from zlib import crc32

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from sandbox.demo.records import Produced, Record
from sandbox.topics import BrokerTopic

BURST: Final = 0.45  # of all records, as fast as possible
TRICKLE: Final = 0.01  # of all records, each second while the burst is being settled
TRICKLE_ENDS: Final = 0.60  # of all records: the rest is kept for the steady load
STEADY_SECONDS: Final = (6.0, 20.0)
STEADY_RATE: Final = 2_500  # records per second, within the bounds above
MARGIN: Final = 64  # bytes that the broker adds to a record, rounded up


class _Phase(NamedTuple):
    begin: float
    sent: int
    rate: float
    limit: int


@dataclass(slots=True)
class Pace:
    """A burst, then a trickle until `steady` is called, then the rest at an even rate."""

    count: int
    _phase: _Phase | None = None

    @property
    def burst(self) -> int:
        """The number of records in the burst."""
        return max(1, round(self.count * BURST))

    def due(self, now: float) -> int:
        """Return how many records may have been sent by `now`, in seconds; the first call ends the burst."""
        phase = self._phase
        if phase is None:
            self._phase = phase = _Phase(
                now, self.burst, self.count * TRICKLE, max(self.burst, int(self.count * TRICKLE_ENDS))
            )
        return min(phase.limit, phase.sent + int(phase.rate * (now - phase.begin)))

    def steady(self, now: float) -> float:
        """Start the steady load; return its rate in records per second."""
        sent = self.due(now)
        shortest, longest = STEADY_SECONDS
        rate = (self.count - sent) / min(max((self.count - sent) / STEADY_RATE, shortest), longest)
        self._phase = _Phase(now, sent, rate, self.count)
        return rate


@dataclass(slots=True)
class Room:
    """Limits the unsettled bytes of each partition to `limit`; None if the broker keeps everything."""

    limit: int | None
    _totals: dict[int, list[int]] = field(default_factory=dict)  # bytes of all records before each offset

    def add(self, partition: int, size: int, settled: int) -> bool:
        """Add a record of `size` bytes if it fits, given the next offset to settle; one always fits if none waits."""
        if self.limit is None:
            return True
        totals = self._totals.setdefault(partition, [0])
        waiting = totals[-1] - totals[min(settled, len(totals) - 1)]
        if waiting and waiting + size > self.limit:
            return False
        totals.append(totals[-1] + size + MARGIN)
        return True


POLL_SECONDS: Final = 0.02
MAX_REQUEST_BYTES: Final = 8 * 2**20
SETTINGS: Final = {
    "enable.idempotence": True,
    "linger.ms": 10,
    "compression.type": "lz4",
    "message.max.bytes": MAX_REQUEST_BYTES,
    "log_level": 0,
}


class Production:
    """Produces in a thread. `places` grows as the broker acknowledges; the monitor sets `settled`, next offsets."""

    def __init__(self, topic: BrokerTopic, records: Sequence[Record], pace: Pace, room: Room) -> None:
        self.places: Produced = {}
        self.settled: dict[int, int] = {}
        self.error: Exception | None = None
        self.pace = pace
        self._topic, self._records, self._room = topic, records, room
        # Delivery reports of a partition come in the order of sending, because the producer is idempotent.
        self._sent: list[deque[Record]] = [deque() for _ in range(topic.partitions)]
        self._stopping = Event()
        self._producer = Producer({"bootstrap.servers": topic.bootstrap, **SETTINGS})
        self._thread = Thread(target=self._run, name="produce", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, without sending the rest. Idempotent."""
        self._stopping.set()
        self._thread.join()

    @property
    def ended(self) -> bool:
        """Whether everything is acknowledged."""
        return len(self.places) == self.pace.count

    def _run(self) -> None:
        try:
            sent = self._send(0, self.pace.burst)
            while sent < self.pace.count and not self._stopping.is_set():
                sent = self._send(sent, self.pace.due(time.monotonic()))
                self._producer.poll(POLL_SECONDS)
            while len(self._producer) and not self._stopping.is_set():
                self._producer.poll(POLL_SECONDS)
        except Exception as error:  # noqa: BLE001 - the monitor reads and raises it
            self.error = error

    def _send(self, begin: int, end: int) -> int:
        for number in range(begin, end):
            record = self._records[number]
            partition = (crc32(record.key) if record.key else number) % self._topic.partitions
            while not self._fits(partition, record):
                if self._stopping.is_set():
                    return number
                self._producer.poll(POLL_SECONDS)
            self._produce(partition, record)
        return end

    def _fits(self, partition: int, record: Record) -> bool:
        size = len(record.key or b"") + len(record.value or b"")
        return self._room.add(partition, size, self.settled.get(partition, 0))

    def _produce(self, partition: int, record: Record) -> None:
        self._sent[partition].append(record)
        headers: list[tuple[str, str | bytes | None]] = list(record.headers)
        options: dict[str, Any] = {} if record.timestamp is None else {"timestamp": record.timestamp}
        while True:
            try:
                return self._producer.produce(
                    self._topic.name,
                    record.value,
                    record.key,
                    partition,
                    self._acknowledged,
                    headers=headers or None,
                    **options,
                )
            except BufferError:  # librdkafka's queue is full
                self._producer.poll(POLL_SECONDS)

    def _acknowledged(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        partition, offset = message.partition(), message.offset()
        if partition is not None and offset is not None:
            self.places[partition, offset] = self._sent[partition].popleft()
