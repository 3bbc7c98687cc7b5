"""The worker as a process on Apache Kafka: nothing is lost or doubled, in any event."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from functions.core.intent import Gap
from functions.pipelines.logins import PIPELINE
from tests.integration.accounting import account
from tests.integration.conftest import empty
from tests.integration.records import ProducedRecord, login, logins
from tests.integration.stage import PARTITIONS, Stage
from tests.integration.waiting import PATIENCE, eventually
from tests.proxy.faults import HeldRequest
from tests.proxy.proxy import Proxy

pytestmark = pytest.mark.usefixtures("real")

LAKE = "PUT /test"  # the lake's bucket comes first in the path; tables and the ledger are posted
TRANSACTION = "TransactWriteItems"
OK, FAILING = 200, 503


@contextmanager
def stream(stage: Stage, pause: float = 0.002, record: Callable[[int], ProducedRecord] = login) -> Iterator[None]:
    """Produce records, by their numbers, during the block; at its end everything is acknowledged."""
    producer = stage.producer()
    ended = Event()

    def run() -> None:
        number = len(stage.produced)
        while not ended.wait(pause):
            stage.send(producer, record(number), number % PARTITIONS)
            number += 1

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        assert producer.flush(PATIENCE) == 0


def test_sigterm_drains_what_is_in_flight_commits_it_and_exits_0(stage: Stage, proxy: Proxy) -> None:
    stage.produce(logins(200))
    held = proxy.fault = HeldRequest(TRANSACTION)
    with stage.worker(**proxy.environment) as worker:
        eventually(held.holding.is_set, worker.tail)
        worker.terminate()
        eventually(lambda: worker.lines("worker is draining"), worker.tail)
        held.release()
        assert worker.end() == 0
    settled = stage.settled()
    assert settled, "a slice was in flight"
    assert settled == stage.committed()
    assert settled.items() <= stage.ends().items(), "each slice that had begun is whole"
    stage.produce(logins(100, begin=200))
    with stage.worker() as worker:
        stage.settle(worker)
    account(stage.produced, stage.found())


def test_a_drain_that_cannot_end_ends_in_its_time_and_leaves_the_slice_to_the_next_worker(
    stage: Stage, proxy: Proxy
) -> None:
    stage.produce(logins(100))
    held = proxy.fault = HeldRequest(TRANSACTION, before=False)
    with stage.worker(**proxy.environment, TANDEM_DRAIN_SECONDS="0.5") as worker:
        eventually(held.holding.is_set, worker.tail)
        worker.terminate()
        assert worker.end() == 0
    with stage.worker() as worker:
        stage.settle(worker)
    account(stage.produced, stage.found())


@pytest.mark.parametrize(
    ("pattern", "before"),
    [(LAKE, True), (LAKE, False), (TRANSACTION, True), (TRANSACTION, False)],
    ids=["before the object", "after the object", "before the transaction", "after the transaction"],
)
def test_killed_in_mid_slice_the_next_worker_continues_without_loss_or_double(
    stage: Stage, proxy: Proxy, pattern: str, *, before: bool
) -> None:
    stage.produce(logins(100))
    held = proxy.fault = HeldRequest(pattern, before=before)
    with stage.worker(**proxy.environment) as worker:
        eventually(held.holding.is_set, worker.tail)
        worker.kill()
    held.release()
    stage.produce(logins(100, begin=100))
    with stage.worker() as worker:
        stage.settle(worker)
    account(stage.produced, stage.found())


def test_two_workers_share_the_partitions_and_one_takes_over_when_the_other_leaves(stage: Stage) -> None:
    def share() -> list[float]:
        return [worker.metric("assigned_partitions") for worker in (first, second)]

    with stage.worker() as first, stream(stage):
        first.ready()
        with stage.worker() as second:
            eventually(lambda: share() == [2, 2], stage.state)
            stage.settle_some(sum(stage.ends().values()), first, second)
            first.terminate()
            assert first.end() == 0
            eventually(lambda: second.metric("assigned_partitions") == PARTITIONS, stage.state)
            second.terminate()
            assert second.end() == 0
    with stage.worker() as third:
        stage.settle(third)
    account(stage.produced, stage.found())


def test_a_handover_from_msk_to_worker_and_back_in_mid_stream_loses_and_doubles_nothing(stage: Stage) -> None:
    source = stage.event_source(batch_size=50, concurrency=2)
    with stream(stage):
        source.start()
        stage.settle_some(200, source)
        source.stop()
        with stage.worker() as worker:
            stage.settle_some(sum(stage.ends().values()) + 200, worker)
            worker.terminate()
            assert worker.end() == 0
        source.start()
        stage.settle_some(sum(stage.ends().values()) + 200, source)
    stage.settle(source)
    source.stop()
    account(stage.produced, stage.found())


def test_a_commit_rewound_by_hand_doubles_nothing(stage: Stage) -> None:
    stage.produce(logins(200))
    with stage.worker() as worker:
        stage.settle(worker)
        worker.terminate()
        assert worker.end() == 0
    stage.commit(0)
    assert stage.committed() == dict.fromkeys(range(PARTITIONS), 0)
    stage.produce(logins(40, begin=200))
    with stage.worker() as worker:
        stage.settle(worker)
        eventually(lambda: stage.committed() == stage.ends(), stage.state)
    account(stage.produced, stage.found())


def test_probes_and_metrics_answer_while_slices_settle(stage: Stage) -> None:
    with stage.worker() as worker:
        worker.ready()
        with stream(stage):
            while sum(stage.settled().values()) < 300:
                assert [worker.get(path)[0] for path in ("/healthz", "/readyz", "/metrics")] == [OK] * 3, worker.tail()
        stage.settle(worker)
        eventually(lambda: worker.metric("records_total") == len(stage.produced), worker.tail)
        assert worker.get("/elsewhere")[0] == 404


def test_a_topic_recreated_under_a_running_worker_is_a_stop_for_it_or_the_next_one(stage: Stage) -> None:
    stage.produce(logins(50), partition=0)
    with stage.worker() as worker:
        stage.settle(worker)
        empty(stage.broker)
        stage.produce(logins(10, begin=1000), partition=0)
        eventually(lambda: not worker.running or "topic recreated" in worker.tail(), stage.state)
    with stage.worker() as worker:
        eventually(lambda: "topic recreated" in worker.get("/readyz")[1], stage.state)
    assert stage.settled()[0] == 50


@pytest.mark.parametrize("newer", [10, 90], ids=["fewer records", "more records"])
def test_a_topic_recreated_under_the_ledger_stops_its_partitions_and_says_why(stage: Stage, newer: int) -> None:
    stage.produce(logins(50), partition=0)
    with stage.worker() as worker:
        stage.settle(worker)
        worker.terminate()
        assert worker.end() == 0
    empty(stage.broker)
    old = dict(stage.produced)
    stage.messages_since = {}
    stage.produced.clear()
    stage.produce(logins(newer, begin=1000), partition=0)
    with stage.worker() as worker:
        eventually(lambda: "user-login-0: the ledger" in worker.get("/readyz")[1], worker.tail)
        status, body = worker.get("/readyz")
        assert status == OK, "another worker could not settle it either"
        reasons = " ".join(json.loads(body)["stopped"])
        assert re.search(r"user-login-0: the ledger is that of the topic with ID \S+, its ID is now \S+\.", reasons)
        assert worker.get("/healthz")[0] == OK
    assert stage.settled() == {0: 50}
    assert {place for place, _ in stage.found().rows} == old.keys()


def test_what_expired_unsettled_is_recorded_as_a_gap_and_the_rest_goes_on(stage: Stage) -> None:
    stage.produce(logins(50), partition=0)
    with stage.worker() as worker:
        stage.settle(worker)
        worker.terminate()
        assert worker.end() == 0
    stage.produce(logins(50, begin=50), partition=0)
    admin = AdminClient({"bootstrap.servers": stage.broker.bootstrap})
    for done in admin.delete_records([TopicPartition(PIPELINE.topic, 0, 70)]).values():
        assert done.result(PATIENCE).low_watermark == 70
    with stage.worker() as worker:
        stage.settle(worker)
        eventually(lambda: worker.metric("gaps_total") == 1, worker.tail)
    assert stage.gaps(0) == [Gap(50, 69)]
    account(stage.produced, stage.found(), given_up=frozenset((0, offset) for offset in range(50, 70)))


def test_while_a_store_is_away_partitions_pause_and_continue_when_it_is_back(stage: Stage, proxy: Proxy) -> None:
    with stage.worker(**proxy.environment) as worker:
        eventually(lambda: len(worker.lines("partition opened")) == PARTITIONS, worker.tail)
        proxy.refuse()
        stage.produce(logins(200))
        eventually(lambda: worker.metric("paused_partitions") == PARTITIONS, worker.tail)
        stage.produce(logins(200, begin=200))
        assert (worker.get("/healthz")[0], worker.get("/readyz")[0]) == (OK, OK)
        assert worker.metric("stopped_partitions") == 0
        proxy.accept()
        stage.settle(worker)
        eventually(lambda: worker.metric("paused_partitions") == 0, worker.tail)
        assert worker.metric("retries_total") >= PARTITIONS
    account(stage.produced, stage.found())


def test_a_flood_of_rejects_stops_with_an_error_and_stores_no_more(stage: Stage) -> None:
    stage.produce([ProducedRecord(b"not a login", "undecodable")] * 1200 + logins(300), partition=0)
    stage.produce(logins(20), partition=1)
    with stage.worker(TANDEM_SLICE_SECONDS="1") as worker:
        eventually(lambda: worker.metric("floods_total") == 1, worker.tail)
        eventually(lambda: "stopped" in worker.get("/readyz")[1], worker.tail)
        status, body = worker.get("/readyz")
        assert status == OK
        assert "records were rejected, the limit is 50%" in json.loads(body)["stopped"][0]
        assert worker.lines("not settled")[0]["level"] == "ERROR"
        eventually(lambda: stage.settled().get(1) == 20, stage.state)
        stage.produce([ProducedRecord(b"not a login", "undecodable")] * 50, partition=0)
        stage.produce(logins(5), partition=1)
        eventually(lambda: stage.settled().get(1) == 25, stage.state)
        assert worker.get("/healthz")[0] == OK
    assert stage.found().letters == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"TANDEM_PIPELINE": "logouts"}, r"expected one of the pipelines .*logins.*, got 'logouts'.*"),
        ({"TANDEM_HTTP_PORT": "many"}, r"TANDEM_HTTP_PORT: got 'many': .*integer.*"),
        ({"TANDEM_MASK_KEY_FROM": "file:/nowhere"}, r"cannot read the secret file:/nowhere: .*"),
        ({"TANDEM_KAFKA_AUTH": "scram"}, r"TANDEM_SCRAM_FROM: missing, .*"),
    ],
)
def test_a_worker_that_is_misconfigured_exits_2_with_one_line(
    stage: Stage, variables: dict[str, str], message: str
) -> None:
    with stage.worker(**variables) as worker:
        assert worker.end() == 2
        lines = [line for line in worker.tail().splitlines() if not line.startswith('{"level":"INFO"')]
        assert len(lines) == 1, worker.tail()
        assert re.fullmatch(f"error: {message}", lines[0])
