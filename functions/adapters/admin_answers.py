"""The answers of confluent-kafka's AdminClient, which may never come, whatever the request's own timeout is.

Seen with list_offsets: its future did not end while the brokers answered other requests.
"""

from typing import TYPE_CHECKING, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

if TYPE_CHECKING:
    from concurrent.futures import Future

Answer = TypeVar("Answer")
MARGIN: Final = 5.0  # seconds beyond the request's own timeout, whose error says more


def answer_of(future: "Future[Answer]", timeout: float) -> Answer:
    """Return the answer to a request with this timeout, in seconds. Raises KafkaException."""
    try:
        return future.result(timeout + MARGIN)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None  # noqa: SLF001 - librdkafka's own error
