"""All lanes: records that were read are settled on threads, and each attempt ends in one of four ways."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from functions.core.backoff import Backoff
from functions.core.errors import Fatal, Flood, Incomplete, Refused, Unavailable
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
from functions.runtimes.worker import fleet as module
from functions.runtimes.worker.fleet import REOPEN_SECONDS, Fleet
from functions.telemetry import samples
from tests.unit.runtimes.worker.lanes import RECORD_BYTES, make_lane, run
from tests.unit.runtimes.worker.threads import NoThread, SameThread
from tests.unit.runtimes.world import StubSettlement, beginning


def settles(slice_: Slice) -> Settled:
    return Settled(next=slice_.end + 1, records=len(slice_))


def raises(error: Exception) -> Callable[[Slice], Settled]:
    def settle(_slice: Slice) -> Settled:
        raise error

    return settle


def make_fleet(
    settle: Callable[[Slice], Settled] = settles, threads: Executor | None = None, partitions: tuple[int, ...] = (0,)
) -> Fleet:
    lanes = {number: make_lane(partition=number) for number in partitions}
    return Fleet(
        beginning(settle), threads or SameThread(), lambda: 1_700_000_000.0, Backoff(1.0, 4.0), lanes, lambda: 10.0
    )


def test_records_that_were_read_are_settled_and_may_be_committed() -> None:
    fleet = make_fleet()
    fleet.add([run(0, 1, 2)], 0.0)
    fleet.start(10.0)
    (ended,) = fleet.ended(12.5)
    assert (ended.slice_.end, ended.error, ended.seconds) == (2, None, 2.5)
    assert ended.result == Settled(next=3, records=3)
    assert {sample.metric: sample.value for sample in samples(ended)} == {
        RECORDS: 3, SETTLE_SECONDS: 2.5, SLICE_RECORDS: 3, SLICE_BYTES: 6, LAST_SETTLED: 1_700_000_000.0,
    }  # fmt: skip
    assert (fleet.size, fleet.in_flight, fleet.ended(13.0)) == (0, 0, [])


def test_the_oldest_record_is_the_oldest_of_all_lanes() -> None:
    fleet = make_fleet(threads=NoThread(), partitions=(0, 1, 2))
    assert (fleet.oldest(), make_fleet(partitions=()).oldest()) == (0.0, 0.0)
    fleet.lanes[0].timestamps = [1_699_999_990_000]
    fleet.lanes[1].timestamps = [1_699_999_940_000, 1_699_999_950_000]
    assert fleet.oldest() == 60.0


def test_partitions_do_not_wait_for_each_other() -> None:
    fleet = make_fleet(threads=NoThread(), partitions=(0, 1))
    fleet.add([run(0, 1, 2), run(5, 6, 7, partition=1)], 0.0)
    fleet.start(1.0)
    fleet.start(2.0)
    assert (fleet.in_flight, fleet.size) == (2, 6 * RECORD_BYTES)
    assert (fleet.longest(4.0), make_fleet().longest(4.0)) == (0.0, 0.0)


def test_records_of_a_partition_that_has_been_revoked_are_left() -> None:
    fleet = make_fleet()
    fleet.add([run(0, 1, 2, partition=9)], 0.0)
    fleet.start(1.0)
    assert (fleet.size, fleet.in_flight) == (0, 0)


def test_an_unavailable_store_causes_a_later_attempt() -> None:
    fleet = make_fleet(raises(Unavailable("s3")))
    fleet.add([run(0, 1, 2)], 0.0)
    fleet.start(0.0)
    (ended,) = fleet.ended(10.0)
    assert isinstance(ended.error, Unavailable)
    assert str(ended.error) == "s3"
    assert [(sample.metric, sample.value) for sample in samples(ended)] == [(RETRIES, 1)]
    assert 10.5 <= fleet.lanes[0].retry_at <= 11.0
    fleet.start(10.4)
    assert fleet.in_flight == 0
    fleet.start(11.0)
    assert fleet.in_flight == 1


@pytest.mark.parametrize(("error", "metrics"), [(Flood("f"), [STOPS, FLOODS]), (Refused("no table"), [STOPS])])
def test_an_error_that_needs_an_operator_stops_only_its_partition(error: Any, metrics: list[Any]) -> None:
    def settle(slice_: Slice) -> Settled:
        if slice_.partition == 0:
            raise error
        return settles(slice_)

    fleet = make_fleet(settle, partitions=(0, 1))
    fleet.add([run(0, 1, 2), run(0, 1, 2, partition=1)], 0.0)
    fleet.start(0.0)
    stopped, settled = fleet.ended(1.0)
    assert (stopped.error, [sample.metric for sample in samples(stopped)]) == (error, metrics)
    assert settled.error is None
    assert [lane.stopped for lane in fleet.lanes.values()] == [error, None]
    assert fleet.lanes[0].open_at == 1.0 + REOPEN_SECONDS
    fleet.add([run(3, 4, 5), run(3, 4, 5, partition=1)], 2.0)
    fleet.start(100.0)
    assert [ended.slice_.partition for ended in fleet.ended(101.0)] == [1]


def test_a_bug_is_raised_each_time_until_the_process_ends() -> None:
    fleet = make_fleet(raises(ZeroDivisionError("bug")))
    fleet.add([run(0, 1, 2)], 0.0)
    fleet.start(0.0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fleet.ended(1.0)


def test_an_attempt_that_waits_for_a_thread_is_no_hang() -> None:
    threads = NoThread()
    fleet = make_fleet(threads=threads)
    fleet.add([run(0, 1, 2)], 0.0)
    fleet.start(0.0)
    assert fleet.longest(10_000.0) == 0.0
    threads.calls[0]()  # its thread begins, at 10 s
    assert fleet.longest(10_000.0) == 9990.0


def test_a_write_that_made_progress_begins_the_backoff_again() -> None:
    answers = iter([Unavailable("s3"), Unavailable("s3"), Incomplete("table", [1]), Incomplete("table", [])])

    def settle(_slice: Slice) -> Settled:
        raise next(answers)

    fleet = make_fleet(settle)
    fleet.add([run(0, 1, 2)], 0.0)
    delays = []
    for now in (0.0, 100.0, 200.0, 300.0):
        fleet.start(now)
        fleet.ended(now)
        delays.append(fleet.lanes[0].retry_at - now)
    for delay, most in zip(delays, (1.0, 2.0, 1.0, 1.0), strict=True):
        assert most / 2 <= delay <= most


def test_records_of_another_topic_stop_their_partition_and_no_other() -> None:
    fleet = make_fleet(partitions=(0, 1))
    fleet.add([run(0, 1, 2, topic="other"), run(0, 1, 2, partition=1)], 0.0)
    fleet.start(0.0)
    assert str(fleet.lanes[0].stopped) == "click-0: expected its records, got some of topic 'other'"
    assert [ended.slice_.partition for ended in fleet.ended(1.0)] == [1]


def test_records_out_of_order_stop_their_partition_and_no_other() -> None:
    fleet = make_fleet(partitions=(0, 1))
    fleet.add([run(2, 1, 0), run(0, 1, 2, partition=1)], 0.0)
    fleet.start(0.0)
    assert isinstance(fleet.lanes[0].stopped, Refused)
    assert [ended.slice_.partition for ended in fleet.ended(1.0)] == [1]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_an_attempt_that_would_end_the_interpreter_is_a_fatal_error(error: Any) -> None:
    fleet = make_fleet(raises(error))
    fleet.add([run(0, 1, 2)], 0.0)
    fleet.start(0.0)
    with pytest.raises(Fatal, match=type(error).__name__):
        fleet.ended(1.0)


def test_partitions_that_drain_start_no_further_slice_and_the_others_do() -> None:
    threads = NoThread()
    fleet = make_fleet(threads=threads, partitions=(0, 1))
    fleet.add([run(*range(6)), run(*range(6), partition=1)], 0.0)
    fleet.start(0.0)
    assert fleet.draining([0, 7]) is True
    for future in threads.futures:
        future.set_result(Settled(next=3))
    fleet.ended(1.0)
    assert fleet.draining([0, 7]) is False
    fleet.start(2.0)
    assert [lane.attempt is not None for lane in fleet.lanes.values()] == [False, True]


def test_attempts_are_abandoned_within_a_limit_and_only_outside_of_the_pipelines_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ABANDON_SECONDS", 0.05)
    release, settlements = Event(), []

    class Settlement(StubSettlement):
        def run(self) -> Settled:
            self.evaluating = self._slice.partition == 0
            settlements.append(self)
            release.wait(120)
            return Settled()

        def abandon(self) -> None:
            super().abandon()
            release.wait(120)  # the ledger does not answer

    with ThreadPoolExecutor(3) as threads:
        fleet = make_fleet(threads=threads, partitions=(0, 1, 2))
        fleet.begin = lambda slice_: Settlement(settles, slice_)  # type: ignore[assignment, return-value]
        fleet.add([run(0, 1, 2, partition=number) for number in range(3)], 0.0)
        fleet.start(0.0)
        while len(settlements) < 3:
            time.sleep(0.01)
        began = time.monotonic()
        fleet.abandon([0, 1, 7])
        assert time.monotonic() - began < 60
        assert {stub._slice.partition: stub.releases for stub in settlements} == {0: 0, 1: 1, 2: 0}
        release.set()


def test_the_result_of_a_closed_lane_is_ignored() -> None:
    threads = NoThread()
    fleet = make_fleet(threads=threads)
    fleet.add([run(0, 1, 2)], 0.0)
    fleet.start(0.0)
    del fleet.lanes[0]
    threads.futures[0].set_result(Settled(next=3))
    assert (fleet.ended(1.0), fleet.in_flight, fleet.size) == ([], 0, 0)


def test_a_partition_assigned_again_ignores_its_old_slice_in_flight() -> None:
    threads = NoThread()
    fleet = make_fleet(threads=threads)
    fleet.add([run(0, 1, 2)], 0.0)
    fleet.start(0.0)
    fleet.lanes[0] = make_lane(position=0)
    fleet.add([run(0, 1, 2)], 0.0)
    fleet.start(0.0)
    old, new = threads.futures
    old.set_exception(ZeroDivisionError("the old attempt failed"))
    assert fleet.ended(1.0) == []
    new.set_result(Settled(next=3))
    assert [ended.slice_.end for ended in fleet.ended(1.0)] == [2]
    assert fleet.lanes[0].unsettled == 3
