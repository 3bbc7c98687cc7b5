"""The loop: read, settle, commit; pause lanes that cannot progress; end on a fatal client error."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from functions.core.errors import Fatal, Flood, Unavailable
from functions.core.intent import Gap
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker import subscription as module
from functions.runtimes.worker import worker as loop
from tests.unit.runtimes.worker.bench import Bench, read, settles
from tests.unit.runtimes.worker.consumers import kafka_error
from tests.unit.runtimes.worker.lanes import LIMITS, run
from tests.unit.runtimes.worker.threads import NoThread


def failed(code: int, *, fatal: bool = False) -> Message:
    return Message("click", 0, error=KafkaError(code, "reason", fatal))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_SECONDS", 0.0)


def test_records_are_settled_committed_and_logged() -> None:
    bench = Bench()
    bench.turn(read(0, 0, 1, 2) + read(1, 7, 8, 9))
    bench.turn()
    assert bench.consumer.calls_of("commit") == [[(0, 3), (1, 10)]]
    lines = bench.logs.lines_of("settled")
    assert [(line["partition"], line["start"], line["end"], line["next"]) for line in lines] == [
        (0, 0, 2, 3), (1, 0, 9, 10),
    ]  # fmt: skip
    assert (bench.metric("records_total"), bench.metric("assigned_partitions")) == (6.0, 2.0)


def test_nothing_settled_is_nothing_committed() -> None:
    bench = Bench()
    bench.turn(read(0, 0, 1))
    bench.turn()
    assert bench.consumer.calls == []


def test_a_commit_that_fails_is_a_warning() -> None:
    bench = Bench()
    bench.consumer.failing = {"commit": [kafka_error()]}
    bench.turn(read(0, 0, 1, 2), [])
    assert [line["level"] for line in bench.logs.lines_of("commit")] == ["WARNING"]
    assert bench.metric("records_total") == 3.0


def test_a_gap_is_a_warning() -> None:
    bench = Bench(lambda slice_: Settled(next=slice_.end + 1, gaps=[Gap(0, 4)]))
    bench.turn(read(0, 5, 6, 7), [])
    (line,) = bench.logs.lines_of("settled")
    assert (line["level"], line["gaps"]) == ("WARNING", [[0, 4]])


def test_a_partition_that_waits_for_a_store_is_paused_until_it_settles() -> None:
    answers = iter([Unavailable("s3"), None])

    def settle(slice_: Slice) -> Settled:
        if error := next(answers):
            raise error
        return settles(slice_)

    bench = Bench(settle)
    bench.turn(read(0, 0, 1, 2), [], [])
    assert bench.consumer.calls_of("pause") == [[(0, -1001)]]
    bench.turn()
    assert bench.consumer.calls_of("resume") == [[(0, -1001)]]
    assert (bench.metric("retries_total"), bench.metric("paused_partitions")) == (1.0, 0.0)
    (line,) = bench.logs.lines_of("not settled")
    assert (line["level"], line["error"]) == ("ERROR", "s3")
    assert "Traceback" in line["exception"]
    assert "in settle" in line["exception"]


def test_a_stopped_partition_is_read_no_more_and_counted_and_leaves_the_worker_ready() -> None:
    def settle(slice_: Slice) -> Settled:
        if slice_.partition == 0:
            raise Flood("too many rejects")
        return settles(slice_)

    bench = Bench(settle)
    bench.turn(read(0, 0, 1, 2) + read(1, 0, 1, 2), [], [], [])
    assert bench.consumer.calls_of("unassign") == [[(0, -1001)]]
    assert bench.consumer.calls_of("assign") == []
    assert bench.worker.state.stopped == ("too many rejects",)
    bench.worker.state.assigned, bench.worker.state.brokers_seen = True, time.monotonic()
    assert bench.worker.state.unready(time.monotonic()) is None
    assert (bench.metric("stopped_partitions"), bench.metric("floods_total")) == (1.0, 1.0)
    assert bench.consumer.calls_of("commit") == [[(1, 3)]]


def test_a_stopped_partition_leaves_its_room_to_the_others() -> None:
    owed = NoThread()
    bench = Bench(threads=owed, room=3000)
    bench.turn(read(0, *range(15)), [], [])
    assert bench.consumer.calls_of("pause") == [[(0, -1001)]]
    owed.futures[0].set_exception(Flood("f"))
    bench.turn([], [])
    assert bench.consumer.calls_of("unassign") == [[(0, -1001)]]
    assert (bench.fleet.size, bench.metric("bytes_in_flight")) == (0, 0.0)


def test_full_lanes_are_paused_and_resumed_when_half_of_the_pool_is_free() -> None:
    owed = NoThread()
    bench = Bench(threads=owed, room=1600)  # a record uses 202 bytes; shares are 400, the pool is 800
    bench.turn(read(0, *range(6)) + read(1, *range(3)))
    assert bench.consumer.calls_of("pause") == []
    bench.turn([], [])
    assert bench.consumer.calls_of("pause") == [[(0, -1001)], [(1, -1001)]]
    owed.futures[1].set_result(Settled(next=3))
    bench.turn([], [])
    assert bench.worker.fleet.size == 6 * 202
    assert bench.consumer.calls_of("resume") == [[(1, -1001)]]
    owed.futures[0].set_result(Settled(next=3))
    bench.turn([], [])
    assert bench.consumer.calls_of("resume") == [[(1, -1001)], [(0, -1001)]]


@pytest.mark.parametrize("partitions", [2, 24])
def test_partitions_that_only_fail_never_keep_the_last_one_from_reading_and_settling(partitions: int) -> None:
    last = partitions - 1

    def settle(slice_: Slice) -> Settled:
        if slice_.partition != last:
            raise Unavailable("its table is throttled")
        return settles(slice_)

    bench = Bench(settle, room=20 * 202 * partitions, partitions=partitions)
    for first in range(0, 9, 3):
        for partition in range(last):
            bench.consumer.batches.append(read(partition, *range(5 * first, 5 * first + 15)))
        bench.consumer.batches.append(read(last, *range(first, first + 3)))
    turns = 0
    while bench.fleet.lanes[last].unsettled < 9:
        bench.worker.turn()
        turns += 1
        assert turns < 100 * partitions, "the others keep it from reading"
    assert not bench.fleet.lanes[last].paused
    assert all(lane.size <= 10 * 202 for lane in bench.lanes)


def test_a_partition_whose_store_is_away_is_read_again_when_it_is_back() -> None:
    away = [True]

    def settle(slice_: Slice) -> Settled:
        if away:
            raise Unavailable("s3")
        return settles(slice_)

    bench = Bench(settle)
    bench.turn(read(0, *range(6)), *[[]] * 5)
    assert bench.consumer.calls_of("unassign") == [[(0, -1001)]]
    assert bench.fleet.size == 3 * 202
    away.clear()
    bench.turn([], [], [])
    assert bench.consumer.calls_of("assign") == [[(0, 3)]]
    bench.turn(read(0, 3, 4, 5), [])
    assert bench.fleet.lanes[0].unsettled == 6


@pytest.mark.parametrize("partitions", [24, 96])
def test_many_partitions_that_wait_for_a_thread_are_no_hang(partitions: int) -> None:
    bench = Bench(threads=NoThread(), partitions=partitions)
    bench.turn([message for number in range(partitions) for message in read(number, 0, 1, 2)])
    while bench.fleet.in_flight < partitions:
        bench.turn()
    assert bench.worker.state.longest == 0.0


def test_a_full_fleet_waits_a_moment_before_it_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_SECONDS", 60.0)
    bench = Bench(threads=NoThread(), room=1000)
    bench.turn(read(0, *range(6)))
    bench.turn(read(0, 6), [])
    assert len(bench.consumer.batches) == 2
    assert bench.consumer.calls_of("pause") == []


def test_a_partition_whose_log_has_changed_is_opened_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REOPEN_SECONDS", 0.0)
    bench = Bench(first_offset=lambda _: 30)
    bench.turn([failed(KafkaError._AUTO_OFFSET_RESET), *read(1, 0, 1, 2)], [], [], [])
    assert bench.consumer.calls_of("unassign") == [[(0, -1001)]]
    assert bench.consumer.calls_of("assign") == [[(0, 30)]]
    assert bench.consumer.calls_of("commit") == [[(1, 3)]]
    assert len(bench.logs.lines_of("consumer")) == 1


def test_partitions_that_cannot_be_opened_are_counted_and_the_others_run() -> None:
    def first_offset(_partition: object) -> int:
        raise Unavailable("no leader")

    bench = Bench(first_offset=first_offset)
    bench.lanes[0].reopen(0.0)
    bench.turn(read(1, 0, 1, 2), [])
    assert (bench.metric("opening_partitions"), bench.metric("paused_partitions")) == (1.0, 1.0)
    assert bench.consumer.calls_of("commit") == [[(1, 3)]]


def test_records_of_another_topic_stop_their_partition_alone() -> None:
    bench = Bench()
    bench.turn(read(0, 0, 1, 2, topic="other") + read(1, 0, 1, 2), [], [])
    assert bench.consumer.calls_of("commit") == [[(1, 3)]]
    assert bench.metric("stopped_partitions") == 1.0


def test_the_end_of_the_process_releases_what_is_in_flight() -> None:
    release, settlements = Event(), []

    def settle(slice_: Slice) -> Settled:
        settlements.append(slice_)
        release.wait(120)
        return settles(slice_)

    with ThreadPoolExecutor(1) as threads:
        bench = Bench(settle, threads)
        bench.turn(read(0, 0, 1, 2))
        while not settlements:
            time.sleep(0.01)
        stub: Any = bench.fleet.lanes[0].settlement
        bench.worker.abandon()
        release.set()
    assert stub.releases == 1


def test_without_room_for_more_waiting_records_are_settled() -> None:
    bench = Bench(room=400)
    bench.turn(read(0, 0) + read(1, 0), [])
    assert bench.consumer.calls_of("commit") == [[(0, 1), (1, 1)]]


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._FATAL,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    ],
)
def test_a_fatal_client_error_ends_the_process(code: int) -> None:
    with pytest.raises(Fatal, match="consumer: reason"):
        Bench().turn([failed(code)])


def test_any_error_reported_as_fatal_is_fatal() -> None:
    with pytest.raises(Fatal):
        Bench().turn([failed(KafkaError.FENCED_INSTANCE_ID, fatal=True)])


def test_brokers_may_not_know_the_topic_for_a_moment_and_a_group_without_its_partitions_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    bench.turn([failed(KafkaError.UNKNOWN_TOPIC_OR_PART)], [])
    assert [line["level"] for line in bench.logs.lines_of("consumer")] == ["WARNING"]
    monkeypatch.setattr(loop, "UNKNOWN_SECONDS", 0.0)
    bench.turn([])
    bench.fleet.lanes.clear()
    bench.turn([], [failed(KafkaError.UNKNOWN_TOPIC_OR_PART)])
    with pytest.raises(Fatal, match="consumer: for 0 s: reason"):
        bench.turn([])


def test_an_error_that_the_client_recovers_from_is_a_warning_and_other_records_count() -> None:
    bench = Bench()
    bench.turn([*read(0, 0, 1), failed(KafkaError._ALL_BROKERS_DOWN), *read(0, 2)], [])
    assert [(line["level"], line["error"]) for line in bench.logs.lines_of("consumer")] == [("WARNING", "reason")]
    assert bench.consumer.calls_of("commit") == [[(0, 3)]]


def test_run_turns_until_stopping_is_set() -> None:
    bench, stopping = Bench(), Event()

    def consume(*_: float) -> list[Message]:
        stopping.set()
        return []

    bench.consumer.consume = consume  # type: ignore[method-assign, assignment]
    bench.worker.run(stopping, 300)
    assert bench.worker.state.turned > 0


def test_an_attempt_that_hangs_ends_the_process() -> None:
    owed = NoThread()
    bench = Bench(threads=owed)
    bench.fleet.monotonic = lambda: time.monotonic() - 11
    bench.turn(read(0, 0, 1, 2))
    owed.calls[0]()  # its thread began 11 s ago
    with pytest.raises(Fatal, match="an attempt has been in the same step for 11 s: no progress"):
        bench.worker.run(Event(), stall_seconds=5)


def test_a_bug_in_settling_ends_the_loop() -> None:
    def settle(_slice: Slice) -> Settled:
        raise ZeroDivisionError

    bench = Bench(settle)
    with pytest.raises(ZeroDivisionError):
        bench.turn(read(0, 0, 1, 2), [])


def test_an_assignment_makes_it_ready_even_an_empty_one_and_its_loss_unready() -> None:
    bench, now = Bench(), time.monotonic()
    bench.worker.state.brokers_seen = now
    bench.turn()
    assert bench.worker.state.unready(now) == "the group has not assigned partitions"
    for change, ready in [("assigned", True), ("revoked", True), ("lost", False), ("assigned", True)]:
        bench.worker.changed(change, [])
        assert (bench.worker.state.unready(now) is None) is ready
    assert bench.logs.lines_of("partitions")[0]["change"] == "assigned"
    assert bench.metric("rebalances_total") == 2.0  # the first series is that of "assigned"


def test_closing_leaves_the_group() -> None:
    bench = Bench()
    bench.worker.close()
    assert bench.consumer.closed


def test_close_raises_an_error_of_the_drain() -> None:
    bench = Bench()
    bench.consumer.failing = {"close": [ZeroDivisionError("bug")]}
    with pytest.raises(ZeroDivisionError):
        bench.worker.close()


def test_closing_does_not_wait_for_brokers_that_are_away() -> None:
    bench, release = Bench(), Event()

    def close() -> None:
        release.wait(120)

    bench.consumer.close = close  # type: ignore[method-assign]
    began = time.monotonic()
    bench.worker.close()
    took = time.monotonic() - began
    release.set()
    assert 0.1 < took < 60


def test_reading_may_fail_for_good() -> None:
    bench = Bench()
    bench.consumer.failing = {"consume": [kafka_error(KafkaError._STATE)]}
    with pytest.raises(KafkaException):
        bench.turn()


def test_settling_continues_while_the_loop_reads() -> None:
    release = Event()

    def settle(slice_: Slice) -> Settled:
        release.wait(120)
        return settles(slice_)

    with ThreadPoolExecutor(1) as threads:
        bench = Bench(settle, threads)
        bench.turn(read(0, 0, 1, 2), read(0, 3, 4), read(0, 5))
        assert len(bench.worker.fleet.lanes[0].offsets) == 3
        release.set()
        attempt = bench.fleet.lanes[0].attempt
        assert attempt is not None
        attempt.future.result(5)
        bench.turn()
        assert bench.consumer.calls_of("commit") == [[(0, 3)]]


def test_limits_are_those_of_the_lane() -> None:
    bench = Bench(threads=NoThread())
    bench.fleet.add([run(*range(7))], time.monotonic())
    bench.turn()
    assert len(bench.fleet.lanes[0].offsets) == 7 - LIMITS.slice_records
