"""Producing throughout all faults, and reading back from the log what was produced.

The broker's acknowledgement is no proof of an offset: one that was killed before it could answer says only that it has
the record. So each record carries its number in a header, and the log is read when all is over.
"""

import time
from collections import Counter
from os import urandom
from threading import Event, Thread
from typing import Final
from zlib import crc32

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from sandbox.demo.logins import generate
from sandbox.demo.records import ExpectedLetter, LoginRow, Produced, Record
from tests.chaos import log
from tests.chaos.options import ChaosOptions
from tests.chaos.stack import QUIET, ChaosStack

POLL_SECONDS: Final = 0.02
NUMBER: Final = "number"
# Half a megabyte on the wire, and little of it when it is compressed. librdkafka reads no headers of a record with more
# than 100,000 of them.
BOMB: Final = [("header", b"")] * 99_000
BALLAST: Final = 16 * 1024  # bytes added to a large record: a few of them show whether memory is bounded
REFRESH: Final = 1000  # milliseconds until the producer notices a new partition


class Load:
    """Produces in a thread. `acknowledged` counts the records that the broker has, `ends` those of each partition.

    `lethal` is the partition of the last lethal record.
    """

    def __init__(self, stack: ChaosStack, options: ChaosOptions) -> None:
        self.records = [_numbered(n, record) for n, record in enumerate(generate(options.records, options.seed))]
        self.sent = 0
        self.acknowledged = 0
        self.ends: Counter[int] = Counter()
        self.lethal: int | None = None
        self.settled = 0  # set by the monitor
        self.error: Exception | None = None
        self._stack, self._options = stack, options
        self._quota = 0
        self._heavy = 0
        self._lethal = False
        self._bombs = 0
        self._stopping = Event()
        settings = {"enable.idempotence": True, "linger.ms": 10, "compression.type": "lz4", "message.timeout.ms": 0}
        self._producer = Producer({
            "bootstrap.servers": stack.broker.bootstrap, "topic.metadata.refresh.interval.ms": REFRESH,
            **settings, **QUIET,
        })  # fmt: skip
        self._thread = Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Start the thread; nothing is sent before `allow`."""
        self._thread.start()

    def allow(self, quota: int) -> None:
        """Continue at an even rate, up to so many records in all."""
        self._quota = min(quota, len(self.records))

    def burst(self, count: int) -> None:
        """Send so many records without a pause, each with ballast, within the quota."""
        self._heavy = count

    def send_lethal(self) -> None:
        """Make the next login one that ends the process that evaluates it."""
        self.lethal, self._lethal = None, True

    def send_bombs(self, count: int) -> None:
        """Send the next `count` logins with as many headers as a broker accepts in one record."""
        self._bombs = count

    @property
    def bombs(self) -> int:
        """How many header bombs are still to be sent."""
        return self._bombs

    @property
    def lag(self) -> int:
        """The number of records that the broker has and that are not settled."""
        return max(0, self.acknowledged - self.settled)

    @property
    def ended(self) -> bool:
        """Whether the broker has all records."""
        return self.acknowledged == len(self.records)

    def stop(self) -> None:
        """Stop without sending the rest. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            room, last = 0.0, time.monotonic()
            while not self._stopping.is_set() and not self.ended:
                now = time.monotonic()
                room, last = min(room + (now - last) * self._options.rate, self._options.rate), now
                if self.lag < self._options.max_lag or self._heavy:
                    room = self._send(room)
                self._producer.poll(POLL_SECONDS)
        except Exception as error:  # noqa: BLE001 - the monitor raises it
            self.error = error

    def _send(self, room: float) -> float:
        while self.sent < self._quota and (self._heavy > 0 or room >= 1):
            number, heavy = self.sent, self._heavy > 0
            record = self.records[number] = _with_ballast(self.records[number]) if heavy else self.records[number]
            is_login = isinstance(record.expected, LoginRow)
            if is_login and self._lethal:
                record = self.records[number] = _lethal(record)
                self._lethal, self.lethal = False, self._partition(number, record)
            elif is_login and self._bombs:
                record = record._replace(headers=(*record.headers, *BOMB))
                self._bombs -= 1
            if not self._produced(number, record):
                return room
            self.sent += 1
            self._heavy -= heavy
            room -= not heavy
        return room

    def _partition(self, number: int, record: Record) -> int:
        return (crc32(record.key) if record.key else number) % self._stack.partitions

    def _produced(self, number: int, record: Record) -> bool:
        partition = self._partition(number, record)
        try:
            self._producer.produce(
                self._stack.stage.pipeline.topic, record.value, record.key, partition, self._delivered,
                headers=list(record.headers),
            )  # fmt: skip
        except BufferError:
            return False
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNKNOWN_PARTITION:  # not known to the client yet
                return False
            raise
        return True

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        self.acknowledged += 1
        self.ends[message.partition() or 0] += 1


def produced(stack: ChaosStack, records: list[Record]) -> Produced:
    """Return the records in the source topic, by place."""
    logged = log.read(stack.broker.bootstrap, stack.stage.pipeline.topic, stack.partitions)
    return {place: records[int(log.header(message, NUMBER))] for place, message in logged}


def _numbered(number: int, record: Record) -> Record:
    return record._replace(headers=(*record.headers, (NUMBER, str(number).encode())))


def _lethal(record: Record) -> Record:
    """Make a login lethal. It must become a dead letter."""
    assert record.value is not None
    return record._replace(value=record.value[:-1] + b',"lethal":true}', expected=ExpectedLetter("lethal"))


def _with_ballast(record: Record) -> Record:
    """Add ballast to a login, in a field that the model ignores."""
    if not isinstance(record.expected, LoginRow) or record.value is None:
        return record
    return record._replace(value=record.value[:-1] + b',"ballast":"' + urandom(BALLAST // 2).hex().encode() + b'"}')
