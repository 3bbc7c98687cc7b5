"""The lag: known from statistics, told by what is settled, forgotten with its partition."""

import json
import time

import pytest

from functions.runtimes.worker import lag as module
from tests.unit.runtimes.worker.bench import Bench, read
from tests.unit.runtimes.worker.consumers import kafka_error
from tests.unit.runtimes.worker.test_fleet import Never


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL_SECONDS", 0.0)


def test_the_age_of_what_waits_is_told_and_is_nothing_once_it_is_settled() -> None:
    bench = Bench(threads=Never())
    bench.turn(read(0, 0, 1, 2))
    assert bench.metric("record_age_seconds") == pytest.approx(time.time(), abs=60)  # their timestamp is 1 ms
    settled = Bench()
    settled.turn(read(0, 0, 1, 2), [])
    assert settled.metric("record_age_seconds") == 0.0


def statistics(**ends: int) -> str:
    parts = {name[1:]: {"ls_offset": end} for name, end in ends.items()}
    return json.dumps({"topics": {"click": {"topic": "click", "partitions": parts}}})


def test_the_lag_falls_as_slices_settle_without_new_statistics() -> None:
    bench = Bench()
    bench.learn(statistics(p0=10))
    bench.turn(read(0, 0, 1, 2))
    assert bench.metric("lag_records") == 10.0
    bench.turn()
    assert bench.metric("lag_records") == 7.0


def test_the_lag_is_told_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    monkeypatch.setattr(module, "TELL_SECONDS", 3600.0)
    bench.lag.told = time.monotonic()
    bench.learn(statistics(p0=10))
    bench.turn()
    assert bench.metric("lag_records") is None


def test_of_a_paused_partition_the_brokers_are_asked_for_the_end() -> None:
    bench = Bench()
    for one in bench.worker.fleet.lanes.values():
        one.paused = one.partition == 0
    bench.learn(statistics(p0=10, p1=20, p7=1))
    assert [one.log_end for one in bench.worker.fleet.lanes.values()] == [50, 20]
    bench.consumer.failing = {"get_watermark_offsets": [kafka_error()]}
    bench.learn(statistics(p0=10, p1=21))
    assert [one.log_end for one in bench.worker.fleet.lanes.values()] == [50, 21]
    assert len(bench.logs.said("log end")) == 1


def test_statistics_that_know_nothing_yet_change_nothing() -> None:
    bench = Bench()
    bench.learn(statistics(p0=-1001))
    bench.learn('{"topics": {}}')
    assert bench.worker.fleet.lanes[0].log_end is None


@pytest.mark.parametrize("change", ["revoked", "lost"])
def test_the_lag_of_a_partition_that_has_gone_is_forgotten(change: str) -> None:
    bench = Bench()
    bench.learn(statistics(p0=10, p1=10))
    bench.turn()
    bench.worker.changed(change, [0, 7])
    page = bench.meter.page()
    assert b'lag_records{partition="0"' not in page
    assert b'lag_records{partition="1"' in page
