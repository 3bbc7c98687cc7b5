"""librdkafka's consumer where the ledger keeps the place in the log: its settings, its errors, how to leave it."""

from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError

from functions.core import names
from functions.settings import Settings

BEYOND_REPAIR: Final = (
    # librdkafka's own errors are named with an underscore.
    KafkaError._FATAL,  # noqa: SLF001 - an error that was made from its code alone does not say that it is fatal
    KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001 - the log lacks the offset we are at
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)


def consumer_settings(settings: Settings, connection: Mapping[str, Any]) -> dict[str, Any]:
    """What the worker's consumer needs besides its callbacks."""
    # The client's own queue counts against memory as much as ours does; librdkafka takes up to 2 GB.
    queue = min(max(1024, settings.bytes_in_flight // 2048), 2**21 - 1)
    # A drain inside a rebalance must not cost the membership, and librdkafka refuses less than the session timeout.
    between_polls = max(300.0, settings.drain_seconds + 60, settings.session_timeout_seconds)
    chosen = {
        **connection,
        "group.id": names.group(settings.stage, settings.pipeline),
        "partition.assignment.strategy": "cooperative-sticky",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Every start is chosen from the ledger: an offset that is not there means that the log has changed under us.
        "auto.offset.reset": "error",
        "session.timeout.ms": int(settings.session_timeout_seconds * 1000),
        # A member learns from a heartbeat's answer that the group rebalances, and what moves rests until all have: with
        # the default of 3 s a rolling restart paused partitions for up to 4.3 s, with 1 s for up to 2.8 s.
        "heartbeat.interval.ms": int(min(1.0, settings.session_timeout_seconds / 3) * 1000),
        "statistics.interval.ms": 5000,
        "max.poll.interval.ms": int(between_polls * 1000),
        "queued.max.messages.kbytes": queue,
        # How soon partitions that are added are read, and their lag is seen: not within its default of 5 minutes.
        "topic.metadata.refresh.interval.ms": 10_000,
        "fetch.wait.max.ms": 100,
        # How soon a full queue is looked at again: its default of a second leaves the worker idle for most of it.
        "fetch.queue.backoff.ms": 20,
    }
    return chosen | ({"client.rack": settings.rack} if settings.rack else {})


def beyond_repair(error: KafkaError) -> bool:
    """Whether the log or our right to read it has changed, so that the client does not mend it by itself."""
    return error.fatal() or error.code() in BEYOND_REPAIR


def leave(consumer: Consumer, seconds: float) -> None:
    """Close it, which revokes what it holds. Raises what that brings to light in time: a bug, a client beyond repair.

    On a thread of its own, because librdkafka waits without end for brokers that are away.
    """
    left: Future[None] = Future()
    Thread(target=_leave, args=(consumer, left), name="leave", daemon=True).start()
    with suppress(TimeoutError):
        left.result(seconds)


def _leave(consumer: Consumer, left: Future[None]) -> None:
    try:
        consumer.close()
    except Exception as error:  # noqa: BLE001 - whoever waits gets it
        left.set_exception(error)
    else:
        left.set_result(None)
