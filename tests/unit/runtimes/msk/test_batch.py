"""One batch: slices side by side, each tried again within the time, one outcome for each."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event

import pytest

from functions.core.backoff import Backoff
from functions.core.errors import Fatal, Flood, Refused, Unavailable
from functions.core.metrics import FLOODS, RECORD_AGE, RECORDS, RETRIES, SETTLE_SECONDS, STOPS, Kind
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.msk.batch import Batch, Outcome, OutOfTime
from tests.unit.runtimes.world import part

SOON = Backoff(first=0.001, most=0.001)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def run(
    settle: Callable[[Slice], Settled], threads: ThreadPoolExecutor, *parts: Slice, seconds: float = 5
) -> list[Outcome]:
    return Batch(settle, threads, SOON).run(parts, time.monotonic() + seconds)


def counted(outcome: Outcome) -> dict[str, float]:
    """Its counters."""
    return {sample.metric.name: sample.value for sample in outcome.samples if sample.metric.kind is Kind.COUNTER}


def test_a_settled_slice_says_what_was_done(threads: ThreadPoolExecutor) -> None:
    (outcome,) = run(lambda each: Settled(next=2, records=len(each)), threads, part(None, None))
    assert isinstance(outcome.result, Settled)
    assert counted(outcome) == {RECORDS.name: 2}
    assert SETTLE_SECONDS in {sample.metric for sample in outcome.samples}


def test_partitions_settle_side_by_side(threads: ThreadPoolExecutor) -> None:
    both = Barrier(2, timeout=5)

    def settle(_part: Slice) -> Settled:
        both.wait()
        return Settled()

    outcomes = run(settle, threads, part(None), part(None, partition=1))
    assert [type(outcome.result) for outcome in outcomes] == [Settled, Settled]


def test_a_store_that_comes_back_in_time_costs_retries_only(threads: ThreadPoolExecutor) -> None:
    answers: Iterator[Exception | None] = iter([Unavailable("s3"), Unavailable("s3"), None])

    def settle(_part: Slice) -> Settled:
        if error := next(answers):
            raise error
        return Settled(records=1)

    (outcome,) = run(settle, threads, part(None))
    assert isinstance(outcome.result, Settled)
    assert counted(outcome) == {RECORDS.name: 1, RETRIES.name: 2}


def test_a_store_that_stays_away_is_given_up_in_time(threads: ThreadPoolExecutor) -> None:
    def settle(_part: Slice) -> Settled:
        raise Unavailable("s3")

    began = time.monotonic()
    (outcome,) = run(settle, threads, part(None), seconds=0.05)
    assert isinstance(outcome.result, Unavailable)
    assert counted(outcome)[RETRIES.name] >= 1
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Flood("f"), {STOPS.name: 1, FLOODS.name: 1}),
        (Refused("r"), {STOPS.name: 1}),
        (Fatal("f"), {}),
        (ZeroDivisionError("bug"), {}),
    ],
)
def test_what_time_does_not_mend_is_not_tried_again(
    error: Exception, told: dict[str, int], threads: ThreadPoolExecutor
) -> None:
    calls = []

    def settle(each: Slice) -> Settled:
        calls.append(each)
        raise error

    (outcome,) = run(settle, threads, part(None))
    assert outcome.result is error
    assert counted(outcome) == told
    assert len(calls) == 1


def test_when_the_time_is_up_slices_that_hang_or_wait_are_left_and_the_others_count(
    threads: ThreadPoolExecutor,
) -> None:
    release = Event()

    def settle(each: Slice) -> Settled:
        if each.partition > 0:
            release.wait(5)
        return Settled(next=each.end + 1)

    parts = [part(None, partition=number) for number in (0, 1, 2, 3)]
    began = time.monotonic()
    outcomes = run(settle, threads, *parts, seconds=0.1)
    took = time.monotonic() - began
    release.set()
    assert [type(outcome.result) for outcome in outcomes] == [Settled, OutOfTime, OutOfTime, OutOfTime]
    assert "user-login-3 [0, 0]: not settled when the time was up" in str(outcomes[3].result)
    assert took < 2


def test_what_still_waits_for_a_thread_when_the_time_is_up_never_starts(threads: ThreadPoolExecutor) -> None:
    release, started = Event(), []

    def settle(each: Slice) -> Settled:
        started.append(each.partition)
        release.wait(5)
        return Settled()

    run(settle, threads, *(part(None, partition=number) for number in range(3)), seconds=0.05)
    release.set()
    threads.shutdown()
    assert sorted(started) == [0, 1]


def test_an_empty_batch_has_no_outcome(threads: ThreadPoolExecutor) -> None:
    assert run(lambda _: Settled(), threads) == []


def test_the_age_of_the_oldest_record_is_told_however_it_ends(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 90.0)
    aged = replace(part(None, None), timestamps=[60_000, 80_000])
    timeless = replace(aged, partition=1, timestamps=[-1, -1])

    def settle(each: Slice) -> Settled:
        return Settled(next=each.end + 1)

    def fails(_part: Slice) -> Settled:
        raise Refused("r")

    for how in (settle, fails):
        ages = [
            [sample.value for sample in outcome.samples if sample.metric is RECORD_AGE]
            for outcome in run(how, threads, aged, timeless)
        ]
        assert ages == [[30.0], []]
