"""One batch: slices in parallel, slice_ retried within the time, one attempt for slice_."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier, Event
from typing import Any

import pytest

from functions.core.backoff import Backoff
from functions.core.errors import Fatal, Flood, Incomplete, Refused, Unavailable
from functions.core.metrics import FLOODS, RECORDS, RETRIES, SETTLE_SECONDS, STOPS, MetricKind
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.msk.batch import Batch, Hung, OutOfTime
from functions.telemetry import Attempt, samples
from tests.unit.runtimes.world import StubSettlement, beginning, slice_of

SOON = Backoff(initial_seconds=0.001, max_seconds=0.001)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def run(
    settle: Callable[[Slice], Settled], threads: ThreadPoolExecutor, *parts: Slice, seconds: float = 5
) -> list[Attempt]:
    return Batch(beginning(settle), threads, SOON).run(parts, time.monotonic() + seconds)


def counted(attempt: Attempt) -> dict[str, float]:
    """Its counters."""
    return {sample.metric.name: sample.value for sample in samples(attempt) if sample.metric.kind is MetricKind.COUNTER}


def test_a_settled_slice_returns_its_counts(threads: ThreadPoolExecutor) -> None:
    (attempt,) = run(lambda slice_: Settled(next=2, records=len(slice_)), threads, slice_of(None, None))
    assert isinstance(attempt.result, Settled)
    assert counted(attempt) == {RECORDS.name: 2}
    assert SETTLE_SECONDS in {sample.metric for sample in samples(attempt)}


def test_partitions_settle_in_parallel(threads: ThreadPoolExecutor) -> None:
    both = Barrier(2, timeout=60)

    def settle(_slice: Slice) -> Settled:
        both.wait()
        return Settled()

    attempts = run(settle, threads, slice_of(None), slice_of(None, partition=1))
    assert [type(attempt.result) for attempt in attempts] == [Settled, Settled]


def test_a_store_that_recovers_in_time_costs_only_retries(threads: ThreadPoolExecutor) -> None:
    answers: Iterator[Exception | None] = iter([Unavailable("s3"), Unavailable("s3"), None])

    def settle(_slice: Slice) -> Settled:
        if error := next(answers):
            raise error
        return Settled(records=1)

    (attempt,) = run(settle, threads, slice_of(None))
    assert isinstance(attempt.result, Settled)
    assert counted(attempt) == {RECORDS.name: 1, RETRIES.name: 2}


def test_a_store_that_stays_unavailable_ends_the_attempt_in_time(threads: ThreadPoolExecutor) -> None:
    def settle(_slice: Slice) -> Settled:
        raise Unavailable("s3")

    began = time.monotonic()
    (attempt,) = run(settle, threads, slice_of(None), seconds=0.05)
    assert isinstance(attempt.result, Unavailable)
    assert counted(attempt)[RETRIES.name] >= 1
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Flood("f"), {STOPS.name: 1, FLOODS.name: 1}),
        (Refused("r"), {STOPS.name: 1}),
        (Fatal("f"), {}),
        (ZeroDivisionError("bug"), {}),
    ],
)
def test_an_error_that_does_not_resolve_itself_is_not_retried(
    error: Exception, expected: dict[str, int], threads: ThreadPoolExecutor
) -> None:
    calls = []

    def settle(slice_: Slice) -> Settled:
        calls.append(slice_)
        raise error

    (attempt,) = run(settle, threads, slice_of(None))
    assert attempt.result is error
    assert counted(attempt) == expected
    assert len(calls) == 1


def test_when_the_time_is_up_slices_that_hang_or_wait_are_abandoned_and_the_others_count(
    threads: ThreadPoolExecutor,
) -> None:
    release = Event()

    def settle(slice_: Slice) -> Settled:
        if slice_.partition > 0:
            release.wait(120)
        return Settled(next=slice_.end + 1)

    parts = [slice_of(None, partition=number) for number in (0, 1, 2, 3)]
    began = time.monotonic()
    attempts = run(settle, threads, *parts, seconds=1)
    took = time.monotonic() - began
    release.set()
    assert [type(attempt.result) for attempt in attempts] == [Settled, OutOfTime, OutOfTime, OutOfTime]
    assert "user-login-3 [0, 0]: not settled when the time was up" in str(attempts[3].result)
    assert took < 60


def test_a_slice_that_waits_for_a_thread_when_the_time_is_up_never_starts(threads: ThreadPoolExecutor) -> None:
    release, started = Event(), []

    def settle(slice_: Slice) -> Settled:
        started.append(slice_.partition)
        release.wait(120)
        return Settled()

    run(settle, threads, *(slice_of(None, partition=number) for number in range(3)), seconds=0.05)
    release.set()
    threads.shutdown()
    assert sorted(started) == [0, 1]


def test_an_empty_batch_has_no_attempt(threads: ThreadPoolExecutor) -> None:
    assert run(lambda _: Settled(), threads) == []


def test_a_retry_continues_the_same_settlement(threads: ThreadPoolExecutor) -> None:
    begun, answers = [], iter([Unavailable("s3"), Incomplete("throttled", [1]), None])

    def begin(slice_: Slice) -> Any:
        begun.append(slice_)
        return StubSettlement(settle, slice_)

    def settle(_slice: Slice) -> Settled:
        if error := next(answers):
            raise error
        return Settled(records=1)

    (attempt,) = Batch(begin, threads, SOON).run([slice_of(None)], time.monotonic() + 5)
    assert isinstance(attempt.result, Settled)
    assert len(begun) == 1


def test_progress_resets_the_backoff(threads: ThreadPoolExecutor) -> None:
    """A throttled sink that accepts a part of its rows each time is not waited for longer and longer."""
    failures: list[int] = []

    class Noted(Backoff):
        def delay(self, attempt: int, jitter: float) -> float:
            failures.append(attempt)
            return super().delay(attempt, jitter)

    answers = iter([*(Incomplete("throttled", [1]) for _ in range(20)), Unavailable("s3"), Unavailable("s3"), None])

    def settle(_slice: Slice) -> Settled:
        if error := next(answers):
            raise error
        return Settled()

    backoff = Noted(initial_seconds=0.0001, max_seconds=0.0001)
    Batch(beginning(settle), threads, backoff).run([slice_of(None)], time.monotonic() + 20)
    assert failures == [1] * 20 + [2, 3]


@pytest.mark.parametrize(("evaluating", "error", "releases"), [(True, Hung, 0), (False, OutOfTime, 1)])
def test_only_what_hangs_in_the_code_of_the_pipeline_stays_suspect(
    *, evaluating: bool, error: type[Exception], releases: int, threads: ThreadPoolExecutor
) -> None:
    end = Event()

    def settle(_slice: Slice) -> Settled:
        end.wait(10)
        return Settled()

    settlement = StubSettlement(settle, slice_of(None))
    settlement.evaluating = evaluating
    (attempt,) = Batch(lambda _: settlement, threads, SOON).run([slice_of(None)], time.monotonic() + 0.05)  # type: ignore[arg-type,return-value]
    end.set()
    assert isinstance(attempt.result, error)
    assert settlement.releases == releases


def test_a_thread_that_hangs_beyond_its_invocation_ends_the_environment(threads: ThreadPoolExecutor) -> None:
    """A sink of the pipeline's own that never returns would occupy every thread, one batch after the other."""
    end = Event()

    def settle(slice_: Slice) -> Settled:
        if slice_.partition == 0:
            end.wait(10)
        return Settled()

    batch = Batch(beginning(settle), threads, SOON)

    def errors(*parts: Slice) -> list[type[Exception | None]]:
        return [type(attempt.error) for attempt in batch.run(parts, time.monotonic() + 0.1)]

    assert errors(slice_of(None)) == [OutOfTime]
    assert errors(slice_of(None, partition=1)) == [type(None)]  # there is a thread for the others
    assert errors(slice_of(None)) == [Hung]
    end.set()
    wait(batch.left)
    assert errors(slice_of(None)) == [type(None)]
