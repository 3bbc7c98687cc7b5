"""A topic sink: an idempotent producer that waits for every acknowledgement."""

from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as KafkaMessage

from functions.core.effects import Message
from functions.core.errors import Fatal, Incomplete, Refused, TandemError, Unavailable
from functions.core.ports import Refusal

# A short linger suffices: a slice's rows are produced together, and `flush` sends them without waiting for it.
PRODUCER: Final[dict[str, Any]] = {
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 5,
    "message.max.bytes": 8 * 2**20,
    # Shorter than the timeout of `send`, so that no old message is in the queue when the slice is sent again.
    "message.timeout.ms": 25_000,
}
FULL_QUEUE_SECONDS: Final = 0.1  # between two tries to add to a full queue


class KafkaTopicWriter:
    """Sends through a producer that threads may share; `timeout` bounds one call, in seconds."""

    def __init__(self, producer: Producer, name: str, timeout: float = 30.0) -> None:
        self._producer = producer
        self._name = name
        self._timeout = timeout

    def send(self, messages: Sequence[Message]) -> Sequence[Refusal]:
        """See ports.TopicWriter. Raises Refused if the cluster rejects all messages, Fatal if the producer has failed.

        A message that is given up here may still be in the client's queue: it is then sent twice, with its source.
        """
        deadline = monotonic() + self._timeout
        reports: list[KafkaError | bool | None] = [False] * len(messages)  # False: not reported
        for index, message in enumerate(messages):
            if not self._produce(index, message, reports, deadline):
                break
        while False in reports and monotonic() < deadline:
            self._producer.flush(max(0.0, deadline - monotonic()))
        return self._outcome(messages, reports)

    def _produce(self, index: int, message: Message, reports: list[KafkaError | bool | None], deadline: float) -> bool:
        """Add a message to the client's queue. False: the queue stayed full until the deadline."""

        def delivered(error: KafkaError | None, _message: KafkaMessage) -> None:
            reports[index] = error  # atomic: another thread's poll may deliver this report

        try:
            return enqueue(
                self._producer, deadline, self._name, message.value, message.key,
                headers=message.headers, on_delivery=delivered,
            )  # fmt: skip
        except KafkaException as error:
            reports[index] = error.args[0]
            return True

    def _outcome(self, messages: Sequence[Message], reports: Sequence[KafkaError | bool | None]) -> Sequence[Refusal]:
        """Return the refusals; raise if any message is not acknowledged for another reason.

        The messages that remain include those that are refused, so that the next call returns their refusals.
        """
        refusals: list[Refusal] = []
        remaining: list[Message] = []
        reason = f"not acknowledged within {self._timeout:g} s"
        for index, (message, report) in enumerate(zip(messages, reports, strict=True)):
            if isinstance(report, KafkaError) and report.code() in MESSAGE_ERRORS:
                refusals.append(Refusal(index, report.str()))
                remaining.append(message)
            elif isinstance(report, KafkaError):
                failure = self._failure(report)
                if not isinstance(failure, Unavailable):
                    raise failure
                reason = report.str()
                remaining.append(message)
            elif report is False:
                remaining.append(message)
        if len(remaining) > len(refusals):
            raise Incomplete(f"topic {self._name}: {reason}", remaining)
        return refusals

    def _failure(self, error: KafkaError) -> TandemError:
        # An error built from its code alone does not report that it is fatal.
        fatal = error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001 - the client's own name
        error_class = Fatal if fatal else Refused if error.code() in PERMANENT_ERRORS else Unavailable
        return error_class(f"topic {self._name}: {error.str()}")


MESSAGE_ERRORS: Final = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD)  # of one message, not of the topic

# An unknown topic is not permanent: brokers also report it briefly during a rolling restart, as MSK does for patches
# (librdkafka, issue 4401). That needs no operator, and a topic that is really missing shows as retries.
PERMANENT_ERRORS: Final = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TOPIC_EXCEPTION,
)


def enqueue(producer: Producer, deadline: float, *arguments: Any, **options: Any) -> bool:  # noqa: ANN401 - those of `produce`
    """Give a record to the producer, waiting while its queue is full. False: it was full until `deadline`."""
    while True:
        try:
            producer.produce(*arguments, **options)
        except BufferError:
            if monotonic() >= deadline:
                return False
            producer.poll(FULL_QUEUE_SECONDS)
        else:
            return True
