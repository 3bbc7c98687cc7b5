"""Retries, giving up and stopping, without processes."""

import time
from collections.abc import Iterable
from threading import Event

import pytest
from botocore.exceptions import EndpointConnectionError
from confluent_kafka import Message

from functions.core.backoff import Backoff
from functions.local.event_source.delivery import Delivery, Ending
from functions.local.event_source.event import PAYLOAD_LIMIT, batch_of
from functions.local.event_source.failure import Condition, GivenUp
from functions.local.event_source.outcome import Crashed, FunctionError, Ok, Outcome, TimedOut
from functions.local.event_source.patience import Patience
from functions.local.event_source.stats import Tally

BATCH = batch_of("t", [Message("t", 0, 4, value=b"x", timestamp=(1, int(time.time() * 1000)))])
AT_ONCE = Backoff(first=0, most=0)
ERROR = FunctionError(b"{}")


class Play:
    """A function with these outcomes, then Ok, and a destination."""

    def __init__(self, outcomes: Iterable[Outcome], patience: Patience, *, destination: bool = True) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[bytes] = []
        self.stored: list[GivenUp] = []
        self.broken = 0
        self.stopping = Event()
        self.tally = Tally()
        store = self.store if destination else None
        self.delivery = Delivery(self.invoke, store, patience, self.stopping, self.tally)

    def invoke(self, event: bytes) -> Outcome:
        self.sent.append(event)
        return self.outcomes.pop(0) if self.outcomes else Ok(b"null")

    def store(self, given_up: GivenUp) -> None:
        if self.broken:
            self.broken -= 1
            raise EndpointConnectionError(endpoint_url="s3")
        self.stored.append(given_up)


def test_the_same_bytes_are_sent_until_they_succeed() -> None:
    play = Play([ERROR, TimedOut(1), Crashed(-9)], Patience(backoff=AT_ONCE), destination=False)
    assert play.delivery.deliver(BATCH, b"event") is Ending.DONE
    assert play.sent == [b"event"] * 4
    stats = play.tally.stats()
    assert (stats.invocations, stats.failures, stats.retries, stats.given_up) == (4, 3, 3, 0)
    assert len(stats.durations) == 4


@pytest.mark.parametrize("retries", [0, 2])
def test_retry_attempts_do_not_count_the_first(retries: int) -> None:
    play = Play([ERROR] * 9, Patience(retries, backoff=AT_ONCE))
    assert play.delivery.deliver(BATCH, b"event") is Ending.GIVEN_UP
    assert len(play.sent) == retries + 1
    (given_up,) = play.stored
    assert (given_up.condition, given_up.invocations, given_up.event) == (Condition.RETRIES, retries + 1, b"event")


def test_infinite_retries_with_a_destination_are_capped_at_ten() -> None:
    play = Play([ERROR] * 99, Patience(backoff=AT_ONCE))
    assert play.delivery.deliver(BATCH, b"event") is Ending.GIVEN_UP
    assert len(play.sent) == 11


def test_without_a_destination_the_batch_is_dropped() -> None:
    play = Play([ERROR] * 9, Patience(1, backoff=AT_ONCE), destination=False)
    assert play.delivery.deliver(BATCH, b"event") is Ending.GIVEN_UP
    assert play.tally.stats().given_up == 1


def test_what_is_too_large_is_never_sent() -> None:
    play = Play([], Patience())
    assert play.delivery.deliver(BATCH, b"x" * (PAYLOAD_LIMIT + 1)) is Ending.GIVEN_UP
    assert play.sent == []
    assert (play.stored[0].condition, play.stored[0].invocations) == (Condition.TOO_LARGE, 0)


def test_what_is_too_old_is_not_sent_again() -> None:
    old = batch_of("t", [Message("t", 0, 4, timestamp=(1, int(time.time() * 1000) - 5000))])
    play = Play([], Patience(max_record_age=4))
    assert play.delivery.deliver(old, b"event") is Ending.GIVEN_UP
    assert play.sent == []
    assert play.stored[0].condition is Condition.TOO_OLD


def test_stopping_abandons_the_batch_between_attempts() -> None:
    play = Play([ERROR] * 9, Patience(backoff=Backoff(first=60, most=60)))
    play.stopping.set()
    assert play.delivery.deliver(BATCH, b"event") is Ending.ABANDONED
    assert len(play.sent) == 1
    assert play.stored == []


def test_a_broken_destination_is_tried_again() -> None:
    play = Play([ERROR], Patience(0, backoff=AT_ONCE))
    play.broken = 2
    assert play.delivery.deliver(BATCH, b"event") is Ending.GIVEN_UP
    assert len(play.stored) == 1
    assert len(play.sent) == 1
