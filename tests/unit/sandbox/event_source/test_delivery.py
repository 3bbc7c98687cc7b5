"""Retries, giving up and stopping, without processes."""

import time
from collections.abc import Iterable
from threading import Event

import pytest
from botocore.exceptions import EndpointConnectionError
from confluent_kafka import Message

from functions.core.backoff import Backoff
from sandbox.event_source.delivery import BatchDelivery, BatchOutcome
from sandbox.event_source.discarded import Condition, DiscardedBatch
from sandbox.event_source.event import PAYLOAD_LIMIT, batch_of
from sandbox.event_source.outcome import Crashed, FunctionError, InvocationOutcome, Ok, TimedOut
from sandbox.event_source.retry_policy import RetryPolicy
from sandbox.event_source.stats import StatsCounter

BATCH = batch_of("t", [Message("t", 0, 4, value=b"x", timestamp=(1, int(time.time() * 1000)))])
AT_ONCE = Backoff(initial_seconds=0, max_seconds=0)
ERROR = FunctionError(b"{}")


class Play:
    """A function with these outcomes, then Ok, and a destination."""

    def __init__(
        self, outcomes: Iterable[InvocationOutcome], retries: RetryPolicy, *, destination: bool = True
    ) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[bytes] = []
        self.stored: list[DiscardedBatch] = []
        self.broken = 0
        self.stopping = Event()
        self.stats = StatsCounter()
        store = self.store if destination else None
        self.delivery = BatchDelivery(self.invoke, store, retries, self.stopping, self.stats)

    def invoke(self, event: bytes) -> InvocationOutcome:
        self.sent.append(event)
        return self.outcomes.pop(0) if self.outcomes else Ok(b"null")

    def store(self, given_up: DiscardedBatch) -> None:
        if self.broken:
            self.broken -= 1
            raise EndpointConnectionError(endpoint_url="s3")
        self.stored.append(given_up)


def test_the_same_bytes_are_sent_until_they_succeed() -> None:
    play = Play([ERROR, TimedOut(1), Crashed(-9)], RetryPolicy(backoff=AT_ONCE), destination=False)
    assert play.delivery.deliver(BATCH, b"event") is BatchOutcome.DONE
    assert play.sent == [b"event"] * 4
    stats = play.stats.stats()
    assert (stats.invocations, stats.failures, stats.retries, stats.given_up) == (4, 3, 3, 0)
    assert len(stats.durations) == 4


@pytest.mark.parametrize("retries", [0, 2])
def test_retry_attempts_do_not_count_the_first(retries: int) -> None:
    play = Play([ERROR] * 9, RetryPolicy(retries, backoff=AT_ONCE))
    assert play.delivery.deliver(BATCH, b"event") is BatchOutcome.GIVEN_UP
    assert len(play.sent) == retries + 1
    (given_up,) = play.stored
    assert (given_up.condition, given_up.invocations, given_up.event) == (Condition.RETRIES, retries + 1, b"event")


def test_infinite_retries_with_a_destination_are_capped_at_ten() -> None:
    play = Play([ERROR] * 99, RetryPolicy(backoff=AT_ONCE))
    assert play.delivery.deliver(BATCH, b"event") is BatchOutcome.GIVEN_UP
    assert len(play.sent) == 11


def test_without_a_destination_the_batch_is_dropped() -> None:
    play = Play([ERROR] * 9, RetryPolicy(1, backoff=AT_ONCE), destination=False)
    assert play.delivery.deliver(BATCH, b"event") is BatchOutcome.GIVEN_UP
    assert play.stats.stats().given_up == 1


def test_what_is_too_large_is_never_sent() -> None:
    play = Play([], RetryPolicy())
    assert play.delivery.deliver(BATCH, b"x" * (PAYLOAD_LIMIT + 1)) is BatchOutcome.GIVEN_UP
    assert play.sent == []
    assert (play.stored[0].condition, play.stored[0].invocations) == (Condition.TOO_LARGE, 0)


def test_what_is_too_old_is_not_sent_again() -> None:
    old = batch_of("t", [Message("t", 0, 4, timestamp=(1, int(time.time() * 1000) - 5000))])
    play = Play([], RetryPolicy(max_record_age=4))
    assert play.delivery.deliver(old, b"event") is BatchOutcome.GIVEN_UP
    assert play.sent == []
    assert play.stored[0].condition is Condition.TOO_OLD


def test_stopping_abandons_the_batch_between_attempts() -> None:
    play = Play([ERROR] * 9, RetryPolicy(backoff=Backoff(initial_seconds=60, max_seconds=60)))
    play.stopping.set()
    assert play.delivery.deliver(BATCH, b"event") is BatchOutcome.ABANDONED
    assert len(play.sent) == 1
    assert play.stored == []


def test_a_broken_destination_is_tried_again() -> None:
    play = Play([ERROR], RetryPolicy(0, backoff=AT_ONCE))
    play.broken = 2
    assert play.delivery.deliver(BATCH, b"event") is BatchOutcome.GIVEN_UP
    assert len(play.stored) == 1
    assert len(play.sent) == 1
