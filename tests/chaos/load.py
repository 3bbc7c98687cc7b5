"""Producing under way, whatever happens, and reading back from the log itself what was produced, and where.

The broker's acknowledgement is no proof of an offset: one that was killed before it could answer says only that it has
the record. So each record carries its number in a header, and the log is read when all is over.
"""

import time
from os import urandom
from threading import Event, Thread
from typing import Final
from zlib import crc32

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.local.demo.generate import generate
from functions.local.demo.record import Produced, Record, Row
from tests.chaos import log
from tests.chaos.ground import QUIET, Ground
from tests.chaos.options import Options

TICK: Final = 0.02
NUMBER: Final = "number"
BALLAST: Final = 16 * 1024  # bytes more in a heavy record: few of them show whether memory is bounded
REFRESH: Final = 1000  # milliseconds until the producer notices a new partition


class Load:
    """Runs in a thread of its own. `acknowledged` counts records that the broker has."""

    def __init__(self, ground: Ground, options: Options) -> None:
        self.records = [_numbered(n, record) for n, record in enumerate(generate(options.records, options.seed))]
        self.sent = 0
        self.acknowledged = 0
        self.settled = 0  # set by whoever watches
        self.error: Exception | None = None
        self._ground, self._options = ground, options
        self._quota = 0
        self._heavy = 0
        self._stopping = Event()
        settings = {"enable.idempotence": True, "linger.ms": 10, "compression.type": "lz4", "message.timeout.ms": 0}
        self._producer = Producer({
            "bootstrap.servers": ground.broker.bootstrap, "topic.metadata.refresh.interval.ms": REFRESH,
            **settings, **QUIET,
        })  # fmt: skip
        self._thread = Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin; nothing is sent before it is allowed."""
        self._thread.start()

    def allow(self, quota: int) -> None:
        """Send on, at an even rate, up to so many records in all."""
        self._quota = min(quota, len(self.records))

    def burst(self, count: int) -> None:
        """Send so many at once, each with ballast, within what is allowed."""
        self._heavy = count

    @property
    def lag(self) -> int:
        """Records that the broker has and nobody has settled."""
        return max(0, self.acknowledged - self.settled)

    @property
    def ended(self) -> bool:
        """Whether the broker has everything."""
        return self.acknowledged == len(self.records)

    def stop(self) -> None:
        """Give up what is not sent. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            room, last = 0.0, time.monotonic()
            while not self._stopping.is_set() and not self.ended:
                now = time.monotonic()
                room, last = min(room + (now - last) * self._options.rate, self._options.rate), now
                if self.lag < self._options.most_lag or self._heavy:
                    room = self._send(room)
                self._producer.poll(TICK)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to: who watches looks here
            self.error = error

    def _send(self, room: float) -> float:
        while self.sent < self._quota and (self._heavy > 0 or room >= 1):
            number, heavy = self.sent, self._heavy > 0
            record = self.records[number] = _laden(self.records[number]) if heavy else self.records[number]
            if not self._produced(number, record):
                return room
            self.sent += 1
            self._heavy -= heavy
            room -= not heavy
        return room

    def _produced(self, number: int, record: Record) -> bool:
        partition = (crc32(record.key) if record.key else number) % self._ground.partitions
        try:
            self._producer.produce(
                self._ground.stage.pipeline.topic, record.value, record.key, partition, self._delivered,
                headers=list(record.headers),
            )  # fmt: skip
        except BufferError:
            return False
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNKNOWN_PARTITION:  # not known to the client yet
                return False
            raise
        return True

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        self.acknowledged += 1


def produced(ground: Ground, records: list[Record]) -> Produced:
    """What lies in the source topic, and where."""
    logged = log.read(ground.broker.bootstrap, ground.stage.pipeline.topic, ground.partitions)
    return {place: records[int(log.header(message, NUMBER))] for place, message in logged}


def _numbered(number: int, record: Record) -> Record:
    return record._replace(headers=(*record.headers, (NUMBER, str(number).encode())))


def _laden(record: Record) -> Record:
    """The same login: a field that the model does not know is ignored."""
    if not isinstance(record.expected, Row) or record.value is None:
        return record
    return record._replace(value=record.value[:-1] + b',"ballast":"' + urandom(BALLAST // 2).hex().encode() + b'"}')
