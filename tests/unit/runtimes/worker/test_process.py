"""The worker process: exit codes and signals, and a worker that consumes from librdkafka's mock cluster."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any
from unittest.mock import Mock
from urllib.request import urlopen

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from functions.adapters.aws import Aws
from functions.bootstrap import App
from functions.core.errors import Fatal, InvalidSetting, Unavailable
from functions.runtimes.worker import process
from functions.runtimes.worker import worker as loop
from functions.runtimes.worker.client import consumer_settings
from tests.unit.runtimes.world import DEVICE, IP, KEY, SETTINGS, Logs, World, login

PATIENCE = 240.0  # seconds; a busy machine needs a few of them


def eventually(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


class Exit(BaseException):
    """Raised in place of the end of the process."""


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[..., None]], int]]:
    """Runs the process around a `serve`, and returns its exit code."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def leave(code: int) -> None:
        raise Exit(code)

    def run(serve: Callable[..., None]) -> int:
        monkeypatch.setattr(process, "serve", serve)
        with pytest.raises(Exit) as left:
            process.run(SETTINGS.model_copy(update={"pipeline": "exits"}))
        return int(left.value.args[0])

    monkeypatch.setattr("os._exit", leave)
    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drained_worker_exits_with_0(exits: Callable[[Callable[..., None]], int], number: int) -> None:
    def serve(_app: App, stopping: Event, _log: object) -> None:
        os.kill(os.getpid(), number)
        assert stopping.wait(60)

    assert exits(serve) == 0


@pytest.mark.parametrize("error", [Fatal("client"), ZeroDivisionError("bug")])
def test_a_broken_worker_exits_with_1_and_logs_the_reason(
    exits: Callable[[Callable[..., None]], int], error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(*_: object) -> None:
        raise error

    logs = Logs()
    monkeypatch.setattr(process, "logger", lambda _settings: logs.log)
    assert exits(serve) == 1
    (line,) = logs.lines_of("worker is broken")
    assert str(error) in line["exception"]


def test_a_misconfigured_worker_leaves_the_exit_code_to_the_command_line(
    exits: Callable[[Callable[..., None]], int],
) -> None:
    def serve(*_: object) -> None:
        raise InvalidSetting("TANDEM_STAGE: missing")

    with pytest.raises(InvalidSetting):
        exits(serve)


class Cluster:
    """librdkafka's mock cluster, which lives as long as its producer; topics have four partitions."""

    def __init__(self) -> None:
        self.producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        brokers = self.producer.list_topics(timeout=60).brokers.values()
        self.bootstrap = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def produce(self, *values: bytes | None) -> None:
        for value in values:
            self.producer.produce("user-login", value, partition=0)
        assert self.producer.flush(60) == 0

    def committed(self) -> int:
        with closing(Consumer({"bootstrap.servers": self.bootstrap, "group.id": "test-logins"})) as consumer:
            return int(consumer.committed([TopicPartition("user-login", 0)], timeout=60)[0].offset)


class Process:
    """A worker's `serve` on in-memory stores and a mock cluster, on a thread.

    `before_settling` is called on the settling thread, so that a test can delay an attempt or make it raise.
    """

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.world, self.logs, self.stopping = World(), Logs(), Event()
        self.failure: Exception | None = None
        self.before_settling: Callable[[], None] = lambda: None
        key = folder / "mask-key"
        key.write_bytes(KEY)
        self.settings = SETTINGS.model_copy(
            update={
                "bootstrap_servers": cluster.bootstrap,
                "mask_key_from": f"file:{key}",
                "flood_ratio": 1.0,
                "slice_seconds": 0.05,
                "drain_seconds": 2.0,
                "session_timeout_seconds": 6.0,
            }
        )
        self._thread = Thread(target=self._serve)

    def app(self) -> App:
        return App(self.settings, replace(self.world.stores, now=self._now))

    def _now(self) -> datetime:
        if current_thread().name.startswith("settle"):
            self.before_settling()
        return self.world.stores.now()

    def _serve(self) -> None:
        try:
            process.serve(self.app(), self.stopping, self.logs.log)
        except Exception as error:  # noqa: BLE001 - a test checks it
            self.failure = error

    def start(self) -> None:
        self._thread.start()
        eventually(lambda: self.failure or self.logs.lines_of("partitions"))

    def stop(self) -> float:
        """Stop the worker and return the seconds of its drain."""
        began = time.monotonic()
        self.stopping.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return time.monotonic() - began

    def get(self, path: str) -> str:
        (line,) = self.logs.lines_of("worker started")
        with urlopen(f"http://127.0.0.1:{line['http_port']}{path}", timeout=60) as answer:
            return str(answer.read().decode())


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def worker(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Process]:
    monkeypatch.setattr(process, "tune_collector", lambda: None)
    silent = {"log_level": 0}  # the client may outlive its broker
    monkeypatch.setattr(process, "consumer_settings", lambda *given: consumer_settings(*given) | silent)
    running = Process(cluster, tmp_path)
    yield running
    running.stop()


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """CloudWatch's client, in place of a client that needs an account."""
    client = Mock()
    monkeypatch.setattr(Aws, "cloudwatch", client)
    return client


def test_a_drain_may_take_its_time_without_failing_liveness(worker: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "Consumer", lambda _settings: Mock())
    worker.settings = worker.settings.model_copy(update={"drain_seconds": 600})
    with ThreadPoolExecutor(1) as threads:
        connected = process.connect(worker.app(), threads, threads, worker.logs.log, Mock())
    assert connected.state.unhealthy(connected.state.turned + 630, 300) is None
    assert connected.leave_seconds > 600


def test_records_are_settled_committed_and_reported(cluster: Cluster, worker: Process) -> None:
    cluster.produce(login(), login(ip=f"{IP}x"), f"{IP} {DEVICE}".encode(), None, login(user_id="u-2"))
    worker.start()
    eventually(lambda: worker.world.next().get(0) == 5)
    assert (worker.get("/healthz"), worker.get("/readyz")) == ('{"status": "ok"}\n', '{"status": "ok"}\n')
    eventually(lambda: 'tandem_rows_total{pipeline="logins"} 2.0' in worker.get("/metrics"))
    page = worker.get("/metrics")
    worker.stop()
    assert worker.failure is None
    assert cluster.committed() == 5
    assert sorted(worker.world.table.rows) == [("u-1",), ("u-2",)]
    assert [line["change"] for line in worker.logs.lines_of("partitions")] == ["assigned", "revoked"]
    output = worker.logs.text.getvalue() + page
    assert IP not in output
    assert DEVICE not in output


def test_metrics_are_put_to_cloudwatch_if_set_at_the_latest_by_the_drain(
    cluster: Cluster, worker: Process, cloudwatch: Mock
) -> None:
    worker.settings = worker.settings.model_copy(update={"cloudwatch_seconds": 3600.0})
    cluster.produce(login(), login(user_id="u-2"))
    worker.start()
    eventually(lambda: worker.world.next().get(0) == 2)
    worker.stop()
    assert worker.failure is None
    put = cloudwatch.put_metric_data.call_args.kwargs
    (records,) = [datum for datum in put["MetricData"] if datum["MetricName"] == "records_total"]
    assert {dimension["Name"]: dimension["Value"] for dimension in records["Dimensions"]} == {
        "stage": "test", "pipeline": "logins", "runtime": "worker",
    }  # fmt: skip
    assert records["Value"] == 2


def test_metrics_are_not_put_to_cloudwatch_by_default(cluster: Cluster, worker: Process, cloudwatch: Mock) -> None:
    cluster.produce(login())
    worker.start()
    eventually(lambda: worker.world.next().get(0) == 1)
    worker.stop()
    assert cloudwatch.mock_calls == []


def test_a_stop_while_partitions_are_paused_drains_in_time_and_commits_nothing(
    cluster: Cluster, worker: Process
) -> None:
    def outage() -> None:
        raise Unavailable("s3")

    worker.before_settling = outage
    cluster.produce(login())
    worker.start()
    eventually(lambda: 'tandem_paused_partitions{pipeline="logins"} 1.0' in worker.get("/metrics"))
    assert worker.stop() < PATIENCE
    assert worker.failure is None
    assert cluster.committed() < 0


def test_a_slice_that_ends_within_the_drain_is_committed(cluster: Cluster, worker: Process) -> None:
    begun = Event()

    def slow() -> None:
        begun.set()
        time.sleep(0.5)

    worker.before_settling = slow
    cluster.produce(login())
    worker.start()
    assert begun.wait(PATIENCE)
    worker.stop()
    assert (worker.failure, cluster.committed()) == (None, 1)


def test_a_ledger_that_cannot_be_read_ends_the_process(
    cluster: Cluster, worker: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> None:
        raise Fatal("no permission")

    monkeypatch.setattr(type(worker.world.ledger), "read", read)
    cluster.produce(login())
    worker.start()
    eventually(lambda: worker.failure)
    assert str(worker.failure) == "no permission"


def test_a_missing_topic_ends_the_process(worker: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "UNKNOWN_SECONDS", 0.1)
    worker.start()
    eventually(lambda: worker.failure)
    assert isinstance(worker.failure, Fatal)
    assert "user-login" in str(worker.failure)


def test_a_bug_during_the_drain_ends_the_process(cluster: Cluster, worker: Process) -> None:
    begun = Event()

    def bug() -> None:
        begun.set()
        time.sleep(0.5)
        raise ZeroDivisionError("bug")

    worker.before_settling = bug
    cluster.produce(login())
    worker.start()
    assert begun.wait(PATIENCE)
    worker.stop()
    assert isinstance(worker.failure, ZeroDivisionError)


def test_an_address_in_use_is_an_invalid_setting(cluster: Cluster, worker: Process) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        worker.settings = worker.settings.model_copy(update={"http_port": port})
        worker.start()
        eventually(lambda: worker.failure)
    assert isinstance(worker.failure, InvalidSetting)
    assert str(worker.failure).startswith(f"TANDEM_HTTP_HOST and TANDEM_HTTP_PORT: got ('127.0.0.1', {port}): ")
