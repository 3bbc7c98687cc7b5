"""The loop: read, settle, commit; pause what cannot go on; end when the client is beyond repair."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from functions.core.errors import Fatal, Flood, Unavailable
from functions.core.ports import Gap
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker import worker as module
from tests.unit.runtimes.worker.bench import Bench, read, settles
from tests.unit.runtimes.worker.consumers import kafka_error
from tests.unit.runtimes.worker.lanes import LIMITS, run
from tests.unit.runtimes.worker.test_fleet import Never


def failed(code: int, *, fatal: bool = False) -> Message:
    return Message("click", 0, error=KafkaError(code, "told", fatal))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_SECONDS", 0.0)


def test_what_is_read_is_settled_committed_and_told() -> None:
    bench = Bench()
    bench.turn(read(0, 0, 1, 2) + read(1, 7, 8, 9))
    bench.turn()
    assert bench.consumer.told("commit") == [[(0, 3), (1, 10)]]
    assert [(line["partition"], line["start"], line["end"], line["next"]) for line in bench.logs.said("settled")] == [
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
    assert [line["level"] for line in bench.logs.said("commit")] == ["WARNING"]
    assert bench.metric("records_total") == 3.0


def test_a_gap_is_a_warning() -> None:
    bench = Bench(lambda part: Settled(next=part.end + 1, gaps=[Gap(0, 4)]))
    bench.turn(read(0, 5, 6, 7), [])
    (line,) = bench.logs.said("settled")
    assert (line["level"], line["gaps"]) == ("WARNING", [[0, 4]])


def test_a_partition_that_waits_for_a_store_is_paused_until_it_settles() -> None:
    answers = iter([Unavailable("s3"), None])

    def settle(part: Slice) -> Settled:
        if error := next(answers):
            raise error
        return settles(part)

    bench = Bench(settle)
    bench.turn(read(0, 0, 1, 2), [], [])
    assert bench.consumer.told("pause") == [[(0, -1001)]]
    bench.turn()
    assert bench.consumer.told("resume") == [[(0, -1001)]]
    assert (bench.metric("retries_total"), bench.metric("paused_partitions")) == (1.0, 0.0)
    (line,) = bench.logs.said("not settled")
    assert (line["level"], line["error"]) == ("ERROR", "s3")


def test_a_stopped_partition_stays_paused_unready_and_counted() -> None:
    def settle(part: Slice) -> Settled:
        if part.partition == 0:
            raise Flood("too many rejects")
        return settles(part)

    bench = Bench(settle)
    bench.turn(read(0, 0, 1, 2) + read(1, 0, 1, 2), [], [], [])
    assert bench.consumer.told("pause") == [[(0, -1001)]]
    assert bench.consumer.told("resume") == []
    assert bench.worker.state.stopped == ("too many rejects",)
    assert (bench.metric("stopped_partitions"), bench.metric("floods_total")) == (1.0, 1.0)
    assert bench.consumer.told("commit") == [[(1, 3)]]


def test_a_stopped_partition_leaves_its_room_to_the_others() -> None:
    owed = Never()
    bench = Bench(threads=owed, room=3000)
    bench.turn(read(0, *range(20)), [])
    assert bench.consumer.told("pause") == [[(0, -1001)], [(1, -1001)]]
    owed.futures[0].set_exception(Flood("f"))
    bench.turn([], read(1, 0, 1, 2))
    assert bench.consumer.told("resume") == [[(1, -1001)]]
    assert bench.worker.fleet.in_flight == 1


def test_a_full_fleet_is_paused_before_it_reads_and_resumed_when_half_has_gone() -> None:
    owed = Never()
    bench = Bench(threads=owed, room=1600)  # a record takes 202 bytes
    bench.turn(read(0, *range(6)) + read(1, *range(3)))
    assert bench.consumer.told("pause") == []
    bench.turn()
    assert bench.consumer.told("pause") == [[(0, -1001)], [(1, -1001)]]
    owed.futures[1].set_result(Settled(next=3))
    bench.turn([], [])
    assert bench.worker.fleet.size == 6 * 202
    assert bench.consumer.told("resume") == []
    owed.futures[0].set_result(Settled(next=3))
    bench.turn([], [])
    assert bench.consumer.told("resume") == [[(0, -1001)], [(1, -1001)]]


def test_a_full_fleet_waits_a_moment_before_it_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_SECONDS", 60.0)
    bench = Bench(threads=Never(), room=1000)
    bench.turn(read(0, *range(6)))
    bench.turn(read(0, 6), [])
    assert len(bench.consumer.batches) == 2
    assert bench.consumer.told("pause") == []


def test_without_room_to_gather_more_what_waits_is_settled() -> None:
    bench = Bench(room=400)
    bench.turn(read(0, 0) + read(1, 0))
    assert bench.worker.fleet.in_flight == 0
    bench.turn([], [])
    assert bench.consumer.told("commit") == [[(0, 1), (1, 1)]]


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._AUTO_OFFSET_RESET,
        KafkaError._FATAL,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    ],
)
def test_a_client_that_cannot_go_on_ends_the_process(code: int) -> None:
    with pytest.raises(Fatal, match="consumer: told"):
        Bench().turn([failed(code)])


def test_any_error_that_says_it_is_fatal_is() -> None:
    with pytest.raises(Fatal):
        Bench().turn([failed(KafkaError.FENCED_INSTANCE_ID, fatal=True)])


def test_what_the_client_mends_by_itself_is_a_warning_and_the_records_beside_it_count() -> None:
    bench = Bench()
    bench.turn([*read(0, 0, 1), failed(KafkaError._ALL_BROKERS_DOWN), *read(0, 2)], [])
    assert [(line["level"], line["error"]) for line in bench.logs.said("consumer")] == [("WARNING", "told")]
    assert bench.consumer.told("commit") == [[(0, 3)]]


def test_run_turns_until_it_is_told_to_stop() -> None:
    bench, stopping = Bench(), Event()

    def consume(*_: float) -> list[Message]:
        stopping.set()
        return []

    bench.consumer.consume = consume  # type: ignore[method-assign]
    bench.worker.run(stopping, 300)
    assert bench.worker.state.turned > 0


def test_an_attempt_that_hangs_ends_the_process() -> None:
    bench = Bench(threads=Never())
    bench.turn(read(0, 0, 1, 2))
    bench.worker.fleet.lanes[0].began -= 11
    with pytest.raises(Fatal, match="an attempt has been in flight for 11 s: no progress"):
        bench.worker.run(Event(), stall_seconds=5)


def test_a_bug_in_settling_ends_the_loop() -> None:
    def settle(_part: Slice) -> Settled:
        raise ZeroDivisionError

    bench = Bench(settle)
    with pytest.raises(ZeroDivisionError):
        bench.turn(read(0, 0, 1, 2), [])


def test_the_first_assignment_makes_it_ready_even_an_empty_one() -> None:
    bench = Bench()
    bench.turn()
    assert bench.worker.state.unready() == "the group has not assigned partitions yet"
    bench.worker.changed("assigned", [])
    bench.turn()
    assert bench.worker.state.unready() is None
    assert bench.logs.said("partitions")[0]["change"] == "assigned"
    assert bench.metric("rebalances_total") == 1.0


def test_closing_leaves_the_group() -> None:
    bench = Bench()
    bench.worker.close()
    assert bench.consumer.closed


def test_closing_tells_what_the_drain_brought_to_light() -> None:
    bench = Bench()
    bench.consumer.failing = {"close": [ZeroDivisionError("bug")]}
    with pytest.raises(ZeroDivisionError):
        bench.worker.close()


def test_closing_does_not_wait_for_brokers_that_are_away() -> None:
    bench, release = Bench(), Event()

    def close() -> None:
        release.wait(5)

    bench.consumer.close = close  # type: ignore[method-assign]
    began = time.monotonic()
    bench.worker.close()
    took = time.monotonic() - began
    release.set()
    assert 0.1 < took < 2


def test_reading_may_fail_for_good() -> None:
    bench = Bench()
    bench.consumer.failing = {"consume": [kafka_error(KafkaError._STATE)]}
    with pytest.raises(KafkaException):
        bench.turn()


def test_settling_goes_on_while_the_loop_reads() -> None:
    release = Event()

    def settle(part: Slice) -> Settled:
        release.wait(5)
        return settles(part)

    with ThreadPoolExecutor(1) as threads:
        bench = Bench(settle, threads)
        bench.turn(read(0, 0, 1, 2), read(0, 3, 4), read(0, 5))
        assert len(bench.worker.fleet.lanes[0].offsets) == 3
        release.set()
        bench.worker.fleet.wait([0], 5)
        bench.turn()
        assert bench.consumer.told("commit") == [[(0, 3)]]


def test_limits_are_those_of_the_lane() -> None:
    bench = Bench(threads=Never())
    bench.worker.fleet.add([run(*range(7))], time.monotonic())
    bench.turn()
    assert len(bench.worker.fleet.lanes[0].offsets) == 7 - LIMITS.slice_records
