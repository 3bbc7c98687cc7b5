"""Sending records to a pipeline's source topic."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.core.errors import Unavailable
from functions.operate.input_lines import InputRecord

ANSWER_SECONDS: Final = 30.0
MAX_MESSAGE_BYTES: Final = 8 * 2**20
FIRST_PROBLEMS: Final = 5


@dataclass(slots=True)
class Sent:
    """What the brokers acknowledged, by partition, and the first records that they refused, with the line of each."""

    partitions: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def count(self) -> int:
        """How many records were acknowledged."""
        return sum(self.partitions.values())


@dataclass(slots=True)
class RecordStream:
    """Sends records to one topic. `per_second` limits the rate, if given; `progress` gets the number sent."""

    connection: Mapping[str, Any]
    topic: str
    per_second: float | None = None
    progress: Callable[[int], None] = lambda _: None

    def send(self, records: Iterable[InputRecord]) -> Sent:
        """Send all records, each key in order. Unavailable if brokers stop answering; ctrl-C keeps what was sent."""
        sent, number = Sent(), 0
        producer = Producer({
            **self.connection, "log_level": 2, "enable.idempotence": True, "linger.ms": 5,
            "message.max.bytes": MAX_MESSAGE_BYTES, "message.timeout.ms": int(ANSWER_SECONDS * 1000),
        })  # fmt: skip
        began = time.monotonic()
        try:
            for number, record in enumerate(records, 1):
                self._wait(began, number)
                self._produce(producer, record, sent)
                self.progress(number)
        finally:
            left = producer.flush(ANSWER_SECONDS)
        if left or (sent.refused and not sent.count):
            raise Unavailable(
                f"topic {self.topic}: {sent.problems[0] if sent.problems else f'{left} records were not acknowledged'}"
            )
        return sent

    def _wait(self, began: float, number: int) -> None:
        if self.per_second is not None:
            time.sleep(max(0.0, began + (number - 1) / self.per_second - time.monotonic()))

    def _produce(self, producer: Producer, record: InputRecord, sent: Sent) -> None:
        def answered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                sent.partitions[message.partition() or 0] += 1
                return
            sent.refused += 1
            if len(sent.problems) < FIRST_PROBLEMS:
                sent.problems.append(f"line {record.line}: {error.str()}")

        options: dict[str, Any] = {} if record.timestamp is None else {"timestamp": record.timestamp}
        while True:
            try:
                producer.produce(
                    self.topic, record.value, record.key, on_delivery=answered, headers=list(record.headers) or None,
                    **options,
                )  # fmt: skip
            except BufferError:
                producer.poll(0.1)
                continue
            except KafkaException as error:  # a record that librdkafka itself refuses, such as one that is too large
                sent.refused += 1
                if len(sent.problems) < FIRST_PROBLEMS:
                    sent.problems.append(f"line {record.line}: {error.args[0].str()}")
            producer.poll(0)
            return
