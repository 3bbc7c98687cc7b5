"""The lag: computed from statistics and settled offsets, forgotten with its partition."""

import json
import time

import pytest

from functions.runtimes.worker import lag as module
from tests.unit.runtimes.worker.bench import Bench, read
from tests.unit.runtimes.worker.consumers import kafka_error
from tests.unit.runtimes.worker.threads import NoThread


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORD_SECONDS", 0.0)


def test_the_age_of_waiting_records_is_recorded_and_is_0_after_they_are_settled() -> None:
    bench = Bench(threads=NoThread())
    bench.turn(read(0, 0, 1, 2))
    assert bench.metric("record_age_seconds") == pytest.approx(time.time(), abs=60)  # their timestamp is 1 ms
    settled = Bench()
    settled.turn(read(0, 0, 1, 2), [])
    assert settled.metric("record_age_seconds") == 0.0


def statistics(fetched: int = -1001, queued: int = 0, **ends: int) -> str:
    parts = {name[1:]: {"ls_offset": end, "next_offset": fetched, "fetchq_cnt": queued} for name, end in ends.items()}
    return json.dumps({"topics": {"click": {"topic": "click", "partitions": parts}}})


def test_the_lag_falls_as_slices_settle_without_new_statistics() -> None:
    bench = Bench()
    bench.worker.learn(statistics(p0=10))
    bench.turn(read(0, 0, 1, 2))
    assert bench.metric("lag_records") == 10.0
    bench.turn()
    assert bench.metric("lag_records") == 7.0


def test_the_lag_is_recorded_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    monkeypatch.setattr(module, "RECORD_SECONDS", 3600.0)
    bench.lag.recorded = time.monotonic()
    bench.worker.learn(statistics(p0=10))
    bench.turn()
    assert bench.metric("lag_records") is None


def test_the_log_ends_of_partitions_that_are_not_read_are_asked_of_the_brokers() -> None:
    bench = Bench(partitions=3)
    paused, detached, _read = bench.lanes
    paused.paused, detached.attached = True, False
    bench.worker.learn(statistics(p0=10, p1=20, p2=30, p7=1))
    assert [lane.log_end for lane in bench.lanes] == [50, 50, 30]
    bench.consumer.watermarks |= {0: (0, 60), 1: (0, 60)}
    bench.consumer.failing = {"get_watermark_offsets": [kafka_error()]}
    bench.worker.learn(statistics(p2=31))
    assert [lane.log_end for lane in bench.lanes] == [50, 50, 31]
    assert len(bench.logs.lines_of("log ends")) == 1
    bench.lag.log_ends = lambda _: {1: 60}  # no broker answers for partition 0
    bench.worker.learn(statistics(p2=31))
    assert [lane.log_end for lane in bench.lanes] == [50, 60, 31]


def test_brokers_that_do_not_answer_are_asked_on_a_thread_and_once_at_a_time() -> None:
    bench, threads = Bench(), NoThread()
    bench.lag.threads = threads
    bench.lanes[0].paused = True
    bench.worker.learn(statistics(p1=1))
    bench.worker.learn(statistics(p1=2))
    assert len(threads.calls) == 1
    threads.futures[0].set_result(None)
    bench.worker.learn(statistics(p1=3))
    assert len(threads.calls) == 2


def test_aborted_transactions_at_the_end_of_a_log_are_no_lag() -> None:
    bench = Bench()
    bench.turn(read(0, 0, 1, 2), [])
    bench.worker.learn(statistics(p0=10, fetched=10, queued=1))
    bench.turn()
    assert bench.metric("lag_records") == 7.0  # the client may hold a record of these offsets
    bench.worker.learn(statistics(p0=10, fetched=10))
    bench.turn()
    assert bench.metric("lag_records") == 0.0
    bench.worker.learn(statistics(p0=12, fetched=10))
    bench.turn()
    assert bench.metric("lag_records") == 2.0


def test_a_connected_broker_keeps_the_worker_ready() -> None:
    bench = Bench()
    bench.worker.state.assigned = True
    brokers = {"b-1": {"state": "CONNECT"}, "coordinator": {"state": "DOWN"}}
    bench.worker.learn(json.dumps({"topics": {}, "brokers": brokers}))
    assert bench.worker.state.unready(time.monotonic()) is not None
    brokers["b-2"] = {"state": "UP"}
    bench.worker.learn(json.dumps({"topics": {}, "brokers": brokers}))
    assert bench.worker.state.unready(time.monotonic()) is None


def test_incomplete_statistics_change_nothing() -> None:
    bench = Bench()
    bench.worker.learn(statistics(p0=-1001))
    bench.worker.learn('{"topics": {}}')
    assert bench.lanes[0].log_end is None


@pytest.mark.parametrize("change", ["revoked", "lost"])
def test_the_lag_of_a_partition_that_has_gone_is_forgotten(change: str) -> None:
    bench = Bench()
    bench.worker.learn(statistics(p0=10, p1=10))
    bench.turn()
    bench.worker.changed(change, [0, 7])
    page = bench.meter.page()
    assert b'lag_records{partition="0"' not in page
    assert b'lag_records{partition="1"' in page
