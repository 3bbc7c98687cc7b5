"""Producing the records, in a thread, and noting where the broker put each."""

import time
from collections import deque
from collections.abc import Sequence
from threading import Event, Thread
from typing import Final
from zlib import crc32

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.local.demo.pace import Pace, Room
from functions.local.demo.record import Produced, Record
from functions.local.demo.topics import Topic

TICK: Final = 0.02  # seconds between looks at the plan
LARGEST: Final = 8 * 2**20  # bytes of a request
SETTINGS: Final = {
    "enable.idempotence": True,
    "linger.ms": 10,
    "compression.type": "lz4",
    "message.max.bytes": LARGEST,
    "log_level": 0,
}


class Production:
    """`places` grows as the broker acknowledges. `settled`, the next offset by partition, is set by whoever watches."""

    def __init__(self, topic: Topic, records: Sequence[Record], pace: Pace, room: Room) -> None:
        self.places: Produced = {}
        self.settled: dict[int, int] = {}
        self.error: Exception | None = None
        self.pace = pace
        self._topic, self._records, self._room = topic, records, room
        # Reports of a partition come in the order of sending: idempotence sees to that.
        self._sent: list[deque[Record]] = [deque() for _ in range(topic.partitions)]
        self._stopping = Event()
        self._producer = Producer({"bootstrap.servers": topic.bootstrap, **SETTINGS})
        self._thread = Thread(target=self._run, name="produce", daemon=True)

    def start(self) -> None:
        """Begin, in another thread."""
        self._thread.start()

    def stop(self) -> None:
        """Give up what is not sent yet. Idempotent."""
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
                self._producer.poll(TICK)
            while len(self._producer) and not self._stopping.is_set():
                self._producer.poll(TICK)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to: who watches looks here
            self.error = error

    def _send(self, begin: int, end: int) -> int:
        for number in range(begin, end):
            record = self._records[number]
            partition = (crc32(record.key) if record.key else number) % self._topic.partitions
            while not self._takes(partition, record):
                if self._stopping.is_set():
                    return number
                self._producer.poll(TICK)
            self._produce(partition, record)
        return end

    def _takes(self, partition: int, record: Record) -> bool:
        size = len(record.key or b"") + len(record.value or b"")
        return self._room.takes(partition, size, self.settled.get(partition, 0))

    def _produce(self, partition: int, record: Record) -> None:
        self._sent[partition].append(record)
        headers: list[tuple[str, str | bytes | None]] = list(record.headers)
        while True:
            try:
                return self._producer.produce(
                    self._topic.name, record.value, record.key, partition, self._acknowledged, headers=headers or None
                )
            except BufferError:  # librdkafka's queue is full
                self._producer.poll(TICK)

    def _acknowledged(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        partition, offset = message.partition(), message.offset()
        if partition is not None and offset is not None:
            self.places[partition, offset] = self._sent[partition].popleft()
