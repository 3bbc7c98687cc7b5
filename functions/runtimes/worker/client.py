"""librdkafka's consumer, with positions kept in the ledger: its settings, its fatal errors, and how to close it."""

from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, KafkaError

from functions.core import names
from functions.settings import Settings

FATAL_ERRORS: Final = (
    # librdkafka's own errors are named with an underscore.
    KafkaError._FATAL,  # noqa: SLF001 - an error built from its code alone does not report that it is fatal
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
)
# Brokers also report it for a moment after their own start, with topics that exist.
UNKNOWN_TOPIC: Final = KafkaError.UNKNOWN_TOPIC_OR_PART

# The log does not hold the offset to read: the partition is to be opened again.
PARTITION_ERRORS: Final = (KafkaError._AUTO_OFFSET_RESET,)  # noqa: SLF001 - see above


class UnknownTopic(NamedTuple):
    """Brokers reported at `since`, on the monotonic clock, that they don't know the topic."""

    since: float
    error: str


def consumer_settings(settings: Settings, connection: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the worker's consumer, without its callbacks."""
    # The client's own queue uses memory, too; librdkafka accepts up to 2 GB.
    queue = min(max(1024, settings.bytes_in_flight // 2048), 2**21 - 1)
    # A drain in a rebalance must not exceed the poll interval, and librdkafka requires at least the session timeout.
    between_polls = max(300.0, settings.drain_seconds + 60, settings.session_timeout_seconds)
    chosen = {
        **connection,
        "group.id": names.consumer_group(settings.stage, settings.pipeline),
        "partition.assignment.strategy": "cooperative-sticky",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Every start comes from the ledger, so an offset that is missing means that the log has changed.
        "auto.offset.reset": "error",
        "session.timeout.ms": int(settings.session_timeout_seconds * 1000),
        # A member learns of a rebalance from the response to a heartbeat, and the partitions that move wait for all
        # members. In a rolling restart the default of 3 s paused partitions for up to 4.3 s, 1 s for up to 2.8 s.
        "heartbeat.interval.ms": int(min(1.0, settings.session_timeout_seconds / 3) * 1000),
        "statistics.interval.ms": 5000,
        "max.poll.interval.ms": int(between_polls * 1000),
        "queued.max.messages.kbytes": queue,
        # The limit in bytes counts no headers, so the number of records limits their memory.
        "queued.min.messages": 10_000,
        # How soon added partitions are read and their lag is measured; the default is 5 minutes.
        "topic.metadata.refresh.interval.ms": 10_000,
        "fetch.wait.max.ms": 100,
        # How soon a full queue is checked again; its default of a second leaves the worker idle for most of it.
        "fetch.queue.backoff.ms": 20,
    }
    return chosen | ({"client.rack": settings.rack} if settings.rack else {})


def is_fatal(error: KafkaError) -> bool:
    """Whether the client cannot recover: it failed, or may no longer read the topic."""
    return error.fatal() or error.code() in FATAL_ERRORS


def leave(consumer: Consumer, seconds: float) -> None:
    """Close the consumer, which revokes its partitions. Raises an error of that, such as a bug or a fatal client error.

    Waits up to `seconds`, and closes on a separate thread, because librdkafka waits forever for unreachable brokers.
    """
    closed: Future[None] = Future()
    Thread(target=_close, args=(consumer, closed), name="leave", daemon=True).start()
    with suppress(TimeoutError):
        closed.result(seconds)


def _close(consumer: Consumer, closed: Future[None]) -> None:
    try:
        consumer.close()
    except Exception as error:  # noqa: BLE001 - `leave` raises it
        closed.set_exception(error)
    else:
        closed.set_result(None)
