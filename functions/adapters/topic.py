"""A topic sink: an idempotent producer that waits for every acknowledgement."""

from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Delivered

from functions.core.effects import Message
from functions.core.errors import Fatal, Refused, TandemError, Unavailable

# Few milliseconds of linger: a slice's rows come all at once, and `flush` sends what is there without waiting for it.
PRODUCER: Final[dict[str, Any]] = {
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 5,
    "message.max.bytes": 8 * 2**20,
    # Shorter than `send` waits: what was given up on must not lie in the queue while the slice is sent again.
    "message.timeout.ms": 25_000,
}
FULL_QUEUE_WAIT: Final = 0.1


class KafkaTopic:
    """Sends through a producer that may be shared between threads; `timeout` bounds one call, in seconds."""

    def __init__(self, producer: Producer, name: str, timeout: float = 30.0) -> None:
        self._producer = producer
        self._name = name
        self._timeout = timeout

    def send(self, messages: Sequence[Message]) -> None:
        """Return when all are acknowledged.

        Raises Unavailable when they are not in time, Refused when the cluster will never take them, and Fatal when the
        producer is beyond repair.
        """
        deadline = monotonic() + self._timeout
        answers: list[KafkaError | None] = []  # append is atomic: another thread's poll may deliver our answers

        def answered(error: KafkaError | None, _message: Delivered) -> None:
            answers.append(error)

        for message in messages:
            self._produce(message, answered, deadline)
        while len(answers) < len(messages):
            self._in_time(deadline)
            self._producer.flush(max(0.0, deadline - monotonic()))
        for error in filter(None, answers):
            raise self._failure(error)

    def _produce(self, message: Message, answered: Any, deadline: float) -> None:  # noqa: ANN401 - the client's own type
        while True:
            try:
                self._producer.produce(
                    self._name, message.value, message.key, headers=message.headers, on_delivery=answered
                )
            except BufferError:
                self._in_time(deadline)
                self._producer.poll(FULL_QUEUE_WAIT)
            except KafkaException as error:
                raise self._failure(error.args[0]) from None
            else:
                return

    def _in_time(self, deadline: float) -> None:
        if monotonic() >= deadline:
            raise Unavailable(f"topic {self._name}: not acknowledged within {self._timeout:g} s")

    def _failure(self, error: KafkaError) -> TandemError:
        # An error that was made from its code alone does not say that it is fatal.
        fatal = error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001 - the client's own name
        kind = Fatal if fatal else Refused if error.code() in NEVER else Unavailable
        return kind(f"topic {self._name}: {error.str()}")


# Not an unknown topic: that is also what brokers answer for a moment while they are restarted one by one, as MSK does
# to patch them (librdkafka, issue 4401). Nobody should have to look after that; one that is missing shows as retries.
NEVER: Final = (
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
)
