"""Sending records to given partitions, with the brokers' answer to each of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.adapters.topic import MESSAGE_ERRORS, PERMANENT_ERRORS, PRODUCER, enqueue
from functions.core.operator_ports import OutgoingRecord, SendResult
from functions.core.record_place import RecordPlace


@dataclass(frozen=True)
class KafkaRecordSender:
    """See operator_ports.RecordSender. Its producer is idempotent, so that its own retries duplicate nothing.

    It connects when first called. `timeout`, in seconds, is longer than the producer's own `message.timeout.ms`.
    """

    connection: Callable[[], Mapping[str, Any]]
    timeout: float = 30.0

    @cached_property
    def _producer(self) -> Producer:
        return Producer({**self.connection(), **PRODUCER, "log_level": 0})

    def send(self, topic: str, records: Sequence[OutgoingRecord]) -> SendResult:
        """See operator_ports.RecordSender."""
        result, deadline = SendResult(), monotonic() + self.timeout
        for record in records:
            self._produce(topic, record, result, deadline)
        self._producer.flush(max(0.0, deadline - monotonic()))
        answered = {*result.acknowledged, *result.refused, *result.unknown}
        result.unknown |= {record.place: "no answer in time" for record in records if record.place not in answered}
        return result

    def _produce(self, topic: str, record: OutgoingRecord, result: SendResult, deadline: float) -> None:
        def answered(error: KafkaError | None, _message: Message) -> None:
            _note(result, record.place, error)

        try:
            enqueue(
                self._producer, deadline, topic, record.value, record.key, record.partition, answered,
                headers=list(record.headers),
            )  # fmt: skip
        except KafkaException as error:
            _note(result, record.place, error.args[0])


def _note(result: SendResult, place: RecordPlace, error: KafkaError | None) -> None:
    if error is None:
        result.acknowledged.append(place)
    else:
        is_permanent = error.code() in (*PERMANENT_ERRORS, *MESSAGE_ERRORS)
        (result.refused if is_permanent else result.unknown)[place] = error.str()
