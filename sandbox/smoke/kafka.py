"""Producing a run's records, and reading what its rows became in the output topic."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any, Final, cast
from zlib import crc32

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from functions.core.errors import Unavailable
from sandbox.demo.parse import HEADER, parse_message
from sandbox.demo.records import LoginRow, Place, Produced, Record
from sandbox.smoke.target import Target

ANSWER_SECONDS: Final = 60.0
SETTINGS: Final = {"enable.idempotence": True, "linger.ms": 10, "compression.type": "lz4"}


@dataclass
class Sender:
    """Sends records by their keys; `places` grows as the brokers acknowledge them."""

    target: Target
    places: Produced = field(default_factory=dict)
    _sent: dict[int, deque[Record]] = field(default_factory=dict)
    _number: int = 0

    @cached_property
    def _producer(self) -> Producer:
        return Producer({**self.target.kafka, **SETTINGS})

    @cached_property
    def partitions(self) -> int:
        """The number of partitions of the source topic."""
        return len(self.target.context.brokers.partitions(self.target.source))

    def send(self, records: Iterable[Record]) -> None:
        """Return when all are acknowledged. Unavailable if that takes too long."""
        for record in records:
            partition = (crc32(record.key) if record.key else self._number) % self.partitions
            self._number += 1
            self._sent.setdefault(partition, deque()).append(record)
            self._produce(partition, record)
        if waiting := self._producer.flush(ANSWER_SECONDS):
            raise Unavailable(f"{self.target.source}: {waiting} records are not acknowledged")

    def _produce(self, partition: int, record: Record) -> None:
        headers: list[tuple[str, Any]] | None = list(record.headers) or None
        while True:
            try:
                return self._producer.produce(
                    self.target.source, record.value, record.key, partition, self._acknowledged, headers=headers
                )
            except BufferError:  # librdkafka's queue is full
                self._producer.poll(0.1)

    def _acknowledged(self, error: KafkaError | None, message: Message) -> None:
        """Reports of a partition come in the order of sending, because the producer is idempotent."""
        if error is not None:
            raise KafkaException(error)
        partition, offset = cast("int", message.partition()), cast("int", message.offset())
        self.places[partition, offset] = self._sent[partition].popleft()


class OutputReader:
    """Reads the output topic from where it ends now."""

    def __init__(self, target: Target) -> None:
        self._topic = target.output
        self._consumer = Consumer({
            **target.kafka, "group.id": target.group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
        })  # fmt: skip
        partitions = target.context.brokers.partitions(self._topic)
        self._begins = {number: self._end(number) for number in partitions}

    def messages(self, produced: Produced) -> list[tuple[Place, LoginRow]]:
        """Return the place and row of each message since then that a record of the run caused, and close."""
        ends = {number: self._end(number) for number in self._begins}
        self._consumer.assign([TopicPartition(self._topic, number, begin) for number, begin in self._begins.items()])
        found: list[tuple[Place, LoginRow]] = []
        heard = monotonic()
        while not self._at(ends):
            for message in self._consumer.consume(1000, 1.0):
                heard = monotonic()
                if message.error() is None and (place_and_row := _parsed(message, produced)):
                    found.append(place_and_row)
            if monotonic() - heard > ANSWER_SECONDS:
                raise Unavailable(f"{self._topic}: no message for {ANSWER_SECONDS:g} s, expected those up to {ends}")
        self._consumer.close()
        return found

    def _end(self, number: int) -> int:
        _, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout=ANSWER_SECONDS)
        return int(high)

    def _at(self, ends: dict[int, int]) -> bool:
        positions = self._consumer.position([TopicPartition(self._topic, number) for number in ends])
        at = {position.partition: max(position.offset, self._begins[position.partition]) for position in positions}
        return all(at[number] >= end for number, end in ends.items())


def _parsed(message: Message, produced: Produced) -> tuple[Place, LoginRow] | None:
    """Return the place and row of a message, None if it is of another record."""
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    source = next((value for name, value in headers if name == HEADER), b"")
    parts = source.split(b"/")
    if len(parts) != 5 or (int(parts[2]), int(parts[3])) not in produced:  # noqa: PLR2004 - see HEADER
        return None
    return parse_message(source, message.value() or b"")
