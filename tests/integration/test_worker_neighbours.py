"""The worker as a process on Apache Kafka: no record and no partition reaches beyond itself."""

import json
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer

from functions.core.headers import MAX_HEADERS
from functions.pipelines.logins import PIPELINE
from tests.integration.accounting import account
from tests.integration.hostile_worker import CRASHES, HANGS, START
from tests.integration.records import ProducedRecord, fields, logins
from tests.integration.stage import PARTITIONS, Stage
from tests.integration.waiting import PATIENCE, eventually
from tests.integration.worker import ProbedWorker

pytestmark = pytest.mark.usefixtures("real")

COMMAND = (sys.executable, "-m", "tests.integration.hostile_worker", "worker")
MAX_RESTARTS = 6
BOMB_RECORDS, BOMB_HEADERS = 100, 100_000
MANIFEST_LIMIT = 640 * 2**20


def hostile(stage: Stage, **variables: str) -> ProbedWorker:
    return ProbedWorker(stage.environment | variables, stage.folder / f"hostile-{time.time_ns()}.log", COMMAND)


def lethal(user: str) -> ProducedRecord:
    return ProducedRecord(json.dumps(fields(0) | {"user_id": user}).encode(), "lethal", b"k")


@pytest.mark.parametrize("user", [CRASHES, HANGS])
def test_a_record_that_ends_the_process_is_set_aside_within_six_restarts_and_its_neighbours_settle(
    stage: Stage, user: str
) -> None:
    stage.produce([*logins(600), lethal(user), *logins(600, begin=600)], partition=0)
    stage.produce(logins(50, begin=2000), partition=1)
    starts = 0
    while stage.settled() != stage.ends():
        starts += 1
        assert starts <= 1 + MAX_RESTARTS, stage.state()
        with hostile(stage, TANDEM_STALL_SECONDS="2") as worker:
            eventually(lambda: not worker.running or stage.settled() == stage.ends(), stage.state)
    assert starts > 1
    account(stage.produced, stage.found())


def test_records_that_arrive_while_nobody_reads_are_settled_though_the_pipeline_starts_at_the_end(stage: Stage) -> None:
    latest = {START: "latest"}
    stage.produce(logins(40))
    stage.produced.clear()  # they were there before the pipeline
    with hostile(stage, **latest) as worker:
        eventually(lambda: len(worker.lines("partition opened")) == PARTITIONS, worker.tail)
        worker.terminate()
        assert worker.end() == 0
    assert stage.committed() == {}, "nothing but the ledger knows where it began"
    stage.produce(logins(80, begin=100))
    with hostile(stage, **latest) as worker:
        stage.settle(worker)
    account(stage.produced, stage.found())


def test_headers_that_compress_well_stay_within_the_memory_of_the_manifest(stage: Stage) -> None:
    bomb(stage, b"not a login", BOMB_RECORDS)
    stage.produce(logins(50, begin=100), partition=1)
    with stage.worker(TANDEM_FLOOD_RATIO="1") as worker:
        eventually(lambda: stage.settled() == {0: BOMB_RECORDS, 1: 50}, stage.state)
        peak = memory(worker)
    letters = [letter for place, letter in stage.found().letters if place[0] == 0]
    assert len(letters) == BOMB_RECORDS
    for letter in letters:
        assert len(letter["headers"]) == MAX_HEADERS + 1
    assert peak < MANIFEST_LIMIT * 0.75, f"{peak / 2**20:.0f} MiB"


def bomb(stage: Stage, value: bytes, count: int) -> None:
    """Produce records with very many empty headers, which take some KB on the broker."""
    settings = {"bootstrap.servers": stage.broker.bootstrap, "compression.type": "zstd", "linger.ms": 100}
    producer = Producer(settings | {"message.max.bytes": 8 * 2**20, "batch.size": 8 * 2**20})
    for _ in range(count):
        producer.produce(PIPELINE.topic, value, partition=0, headers=[("", b"")] * BOMB_HEADERS)
        producer.poll(0)
    assert producer.flush(PATIENCE) == 0


def memory(worker: ProbedWorker) -> int:
    """Return the most memory that the worker has had, in bytes."""
    status = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
