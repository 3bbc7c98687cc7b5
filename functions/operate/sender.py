"""Sending records to given partitions, and telling of each whether the brokers have it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.adapters.topic import FULL_QUEUE_WAIT, NEVER
from functions.operate.place import Place

TIMEOUT: Final = 30.0  # seconds for one call; more than the producer's own `message.timeout.ms`


class Outgoing(NamedTuple):
    """A record on its way; `place` is where it came from."""

    place: Place
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


@dataclass(slots=True)
class Outcome:
    """Which are acknowledged, which never will be, and why; the others nobody can tell."""

    acknowledged: list[Place] = field(default_factory=list)
    refused: dict[Place, str] = field(default_factory=dict)
    unknown: dict[Place, str] = field(default_factory=dict)


class Sender:
    """Sends to one topic, by an idempotent producer, so that its own retries double nothing."""

    def __init__(self, producer: Producer, topic: str) -> None:
        self._producer = producer
        self.topic = topic

    def send(self, records: Sequence[Outgoing]) -> Outcome:
        """Return when all are answered, or the time is over. Each partition gets its records in this order."""
        outcome, deadline = Outcome(), monotonic() + TIMEOUT
        for record in records:
            self._produce(record, outcome, deadline)
        self._producer.flush(max(0.0, deadline - monotonic()))
        told = {*outcome.acknowledged, *outcome.refused, *outcome.unknown}
        outcome.unknown |= {record.place: "no answer in time" for record in records if record.place not in told}
        return outcome

    def _produce(self, record: Outgoing, outcome: Outcome, deadline: float) -> None:
        def answered(error: KafkaError | None, _message: Message) -> None:
            _note(outcome, record.place, error)

        while True:
            try:
                self._producer.produce(
                    self.topic, record.value, record.key, record.partition, answered, headers=list(record.headers)
                )
            except BufferError:
                if monotonic() >= deadline:
                    return
                self._producer.poll(FULL_QUEUE_WAIT)
            except KafkaException as error:
                _note(outcome, record.place, error.args[0])
                return
            else:
                return


def _note(outcome: Outcome, place: Place, error: KafkaError | None) -> None:
    if error is None:
        outcome.acknowledged.append(place)
    else:
        (outcome.refused if error.code() in NEVER else outcome.unknown)[place] = error.str()
