"""All lanes: what was read is settled on threads, and each attempt ends in one of four ways."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from functions.core.backoff import Backoff
from functions.core.errors import Flood, Refused, Unavailable
from functions.core.metrics import (
    FLOODS,
    LAST_SETTLED,
    RECORDS,
    RETRIES,
    SETTLE_SECONDS,
    SLICE_BYTES,
    SLICE_RECORDS,
    STOPS,
)
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker.fleet import Fleet
from tests.unit.runtimes.worker.lanes import RECORD_BYTES, lane, run


class Here(Executor):
    """Runs everything at once, on the thread that asks."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


class Never(Executor):
    """Has no thread free; `futures` are what it owes."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, _fn: Callable[..., Any], /, *_: Any, **__: Any) -> Future[Any]:
        self.futures.append(Future())
        return self.futures[-1]


def settles(part: Slice) -> Settled:
    return Settled(next=part.end + 1, records=len(part))


def raises(error: Exception) -> Callable[[Slice], Settled]:
    def settle(_part: Slice) -> Settled:
        raise error

    return settle


def fleet(
    settle: Callable[[Slice], Settled] = settles, threads: Executor | None = None, partitions: tuple[int, ...] = (0,)
) -> Fleet:
    lanes = {number: lane(partition=number) for number in partitions}
    return Fleet(settle, threads or Here(), lambda: 1_700_000_000.0, Backoff(1.0, 1.0), lanes)


def test_what_was_read_is_settled_and_may_be_committed() -> None:
    one = fleet()
    one.add([run(0, 1, 2)], 0.0)
    one.start(10.0)
    (ended,) = one.ended(12.5)
    assert (ended.part.end, ended.error, ended.seconds) == (2, None, 2.5)
    assert ended.settled == Settled(next=3, records=3)
    assert {sample.metric: sample.value for sample in ended.samples} == {
        RECORDS: 3, SETTLE_SECONDS: 2.5, SLICE_RECORDS: 3, SLICE_BYTES: 6, LAST_SETTLED: 1_700_000_000.0,
    }  # fmt: skip
    assert (one.size, one.in_flight, one.ended(13.0)) == (0, 0, [])


def test_the_oldest_record_is_that_of_the_lane_that_is_furthest_behind() -> None:
    one = fleet(threads=Never(), partitions=(0, 1, 2))
    assert (one.oldest(), fleet(partitions=()).oldest()) == (0.0, 0.0)
    one.lanes[0].timestamps = [1_699_999_990_000]
    one.lanes[1].timestamps = [1_699_999_940_000, 1_699_999_950_000]
    assert one.oldest() == 60.0


def test_partitions_do_not_wait_for_each_other() -> None:
    one = fleet(threads=Never(), partitions=(0, 1))
    one.add([run(0, 1, 2), run(5, 6, 7, partition=1)], 0.0)
    one.start(1.0)
    one.start(2.0)
    assert (one.in_flight, one.size) == (2, 6 * RECORD_BYTES)
    assert (one.longest(4.0), fleet().longest(4.0)) == (3.0, 0.0)


def test_records_of_a_partition_that_has_been_revoked_are_left() -> None:
    one = fleet()
    one.add([run(0, 1, 2, partition=9)], 0.0)
    one.start(1.0)
    assert (one.size, one.in_flight) == (0, 0)


def test_a_store_that_is_away_means_another_attempt_later() -> None:
    one = fleet(raises(Unavailable("s3")))
    one.add([run(0, 1, 2)], 0.0)
    one.start(0.0)
    (ended,) = one.ended(10.0)
    assert (ended.settled, str(ended.error)) == (None, "s3")
    assert [(sample.metric, sample.value) for sample in ended.samples] == [(RETRIES, 1)]
    assert 10.5 <= one.lanes[0].retry_at <= 11.0
    one.start(10.4)
    assert one.in_flight == 0
    one.start(11.0)
    assert one.in_flight == 1


@pytest.mark.parametrize(("error", "told"), [(Flood("f"), [STOPS, FLOODS]), (Refused("no table"), [STOPS])])
def test_what_a_person_must_see_stops_the_partition_and_no_other(error: Any, told: list[Any]) -> None:
    def settle(part: Slice) -> Settled:
        if part.partition == 0:
            raise error
        return settles(part)

    one = fleet(settle, partitions=(0, 1))
    one.add([run(0, 1, 2), run(0, 1, 2, partition=1)], 0.0)
    one.start(0.0)
    stopped, settled = one.ended(1.0)
    assert (stopped.error, [sample.metric for sample in stopped.samples]) == (error, told)
    assert settled.settled is not None
    assert [each.stopped for each in one.lanes.values()] == [error, None]
    one.add([run(3, 4, 5), run(3, 4, 5, partition=1)], 2.0)
    one.start(100.0)
    assert [ended.part.partition for ended in one.ended(101.0)] == [1]


def test_a_bug_is_raised_each_time_until_the_process_ends() -> None:
    one = fleet(raises(ZeroDivisionError("bug")))
    one.add([run(0, 1, 2)], 0.0)
    one.start(0.0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            one.ended(1.0)


def test_waiting_for_a_drain_is_bounded_and_concerns_only_what_is_drained() -> None:
    release = Event()

    def settle(part: Slice) -> Settled:
        release.wait(5)
        return settles(part)

    with ThreadPoolExecutor(2) as threads:
        one = fleet(settle, threads, (0, 1, 2))
        one.add([run(0, 1, 2), run(0, 1, 2, partition=1)], 0.0)
        one.start(0.0)
        began = time.monotonic()
        one.wait([2, 7], 5)
        one.wait([0], 0.05)
        assert 0.04 < time.monotonic() - began < 2
        assert one.ended(0.0) == []
        release.set()
        one.wait([0, 1], 5)
        assert len(one.ended(0.0)) == 2


def test_the_result_of_a_lane_that_is_gone_counts_for_nothing() -> None:
    owed = Never()
    one = fleet(threads=owed)
    one.add([run(0, 1, 2)], 0.0)
    one.start(0.0)
    del one.lanes[0]
    owed.futures[0].set_result(Settled(next=3))
    assert (one.ended(1.0), one.in_flight, one.size) == ([], 0, 0)


def test_a_partition_that_comes_back_while_its_old_slice_is_in_flight_begins_anew() -> None:
    owed = Never()
    one = fleet(threads=owed)
    one.add([run(0, 1, 2)], 0.0)
    one.start(0.0)
    one.lanes[0] = lane(position=0)
    one.add([run(0, 1, 2)], 0.0)
    one.start(0.0)
    old, new = owed.futures
    old.set_exception(ZeroDivisionError("whatever the old attempt comes to"))
    assert one.ended(1.0) == []
    new.set_result(Settled(next=3))
    assert [ended.part.end for ended in one.ended(1.0)] == [2]
    assert one.lanes[0].unsettled == 3
