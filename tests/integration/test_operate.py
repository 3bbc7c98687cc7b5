"""The operators' verbs on a real broker: a redrive once a bug is fixed, and a rewind of a topic that was recreated."""

import json
import os
import secrets
import subprocess
import sys
import time
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from functions.adapters.ledger import DynamoLedger
from functions.adapters.memory_kafka import MemoryKafka
from functions.bootstrap import App
from functions.core.errors import Refused
from functions.core.intent import Gap
from functions.core.operator_ports import OutgoingRecord
from functions.core.record_place import RecordPlace
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE
from functions.settings import read
from sandbox.broker.apache import Apache
from tests.contracts.operators.conftest import Kafka, real_kafka, without_first_column
from tests.integration.conftest import empty
from tests.integration.records import BEGIN, ProducedRecord, login, logins
from tests.integration.stage import Stage
from tests.integration.test_msk import ONCE_AGAIN
from tests.integration.waiting import eventually
from tests.proxy.proxy import Proxy


def tandem(stage: Stage, *arguments: str, fails: bool = False, exit_code: int = 0) -> str:
    """Return what a verb prints, on standard output or, when it fails, as its error."""
    done = subprocess.run(
        [sys.executable, "-m", "functions.cli.main", *arguments],
        env=os.environ | stage.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (1 if fails else exit_code), done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def log(stage: Stage, partition: int) -> list[Any]:
    """Everything in a partition of the source topic."""
    consumer = Consumer(
        {"bootstrap.servers": stage.broker.bootstrap, "group.id": "reader", "enable.auto.commit": False}
    )
    try:
        end = consumer.get_watermark_offsets(TopicPartition(PIPELINE.topic, partition), timeout=10)[1]
        consumer.assign([TopicPartition(PIPELINE.topic, partition, 0)])
        found = consumer.consume(end, 20)
        assert len(found) == end
        return list(found)
    finally:
        consumer.close()


def whole_log(stage: Stage, partition: int) -> Slice:
    """Return everything in a partition of the source topic as one slice."""
    found = log(stage, partition)
    return Slice(
        PIPELINE.topic, partition, 0, len(found) - 1,
        [one.offset() for one in found], [one.timestamp()[1] for one in found], [one.key() for one in found],
        [one.value() for one in found], [one.headers() or () for one in found],
    )  # fmt: skip


def settle_with_a_bug(stage: Stage, partition: int) -> None:
    """Settle a partition as a release whose `process` fails for every login."""
    settler = App(read(stage.environment)).settler
    replace(settler, pipeline=replace(PIPELINE, process=_bug)).settle(whole_log(stage, partition))


def _bug(_: object) -> Any:
    raise KeyError("device_type")


def test_a_record_that_a_bug_rejected_becomes_exactly_one_row_once_it_is_redriven(stage: Stage) -> None:
    lost = login(1)._replace(headers=(("trace", b"\x00\xff"),))
    stage.produce([lost], partition=2)
    settle_with_a_bug(stage, 2)
    assert "failed" in tandem(stage, "dead-letters", "list")
    assert "KeyError" in tandem(stage, "dead-letters", "show", "user-login/2/0")
    with stage.worker() as worker:
        stage.produce(logins(8, begin=10))
        stage.settle(worker)
        assert "would send 1 record to user-login" in tandem(stage, "dead-letters", "redrive")
        assert "sent 1 record to user-login" in tandem(stage, "dead-letters", "redrive", "--execute")
        assert "sent 0 records" in tandem(stage, "dead-letters", "redrive", "--execute")
        eventually(lambda: stage.settled()[2] == 4, stage.state)
        assert "logins: keeping up" in tandem(stage, "status")
    redriven = log(stage, 2)[-1]
    assert (redriven.key(), redriven.value()) == (lost.key, lost.value)
    assert redriven.headers() == [
        *lost.headers, ("tandem-redriven-from", b"user-login/2/0"), ("tandem-redrives", b"1"),
    ]  # fmt: skip
    rows = stage.found().rows
    assert sorted(place for place, _ in rows if place[0] == 2) == [(2, 1), (2, 2), (2, 3)]
    assert len(rows) == 9


def test_a_recreated_topic_is_rewound_and_nothing_is_lost(stage: Stage, real: Apache) -> None:
    stage.produce(logins(20), partition=0)
    with stage.worker() as worker:
        stage.settle(worker)
        assert "this is the log that was settled" in tandem(stage, "rewind", "0", "--to", "0", fails=True)
    empty(real)
    stage.produced.clear()
    stage.produce(logins(5, begin=100), partition=0)
    with stage.worker() as worker:
        stopped = [f"user-login-{number}: the ledger is that of the topic with ID" for number in (0, 1)]
        eventually(lambda: all(text in worker.tail() for text in stopped), worker.tail)
        assert "the group has members" in tandem(stage, "rewind", "0", "--to", "0", fails=True)
        worker.terminate()
        assert worker.end() == 0
    assert "lake object of the old log" in tandem(stage, "rewind", "0", "--to", "0", fails=True)
    days_later(stage)
    assert tandem(stage, "rewind", "0", "--to", "0").endswith("tandem rewind 0 --to 0 --from 20 --execute\n")
    assert "moved the ledger from 20 to 0" in tandem(stage, "rewind", "0", "--to", "0", "--from", "20", "--execute")
    assert stage.committed()[0] == 0
    assert "Run `tandem resume`" in tandem(stage, "resume", "1"), "of partition 1 nothing was settled"
    assert "the stop is ended" in tandem(stage, "resume", "1", "--execute")
    stage.produce(logins(5, begin=200), partition=1)
    with stage.worker() as worker:
        stage.settle(worker)
    assert len(stage.found().rows) == 30


def recreated_under_a_mapping(stage: Stage, real: Apache) -> dict[str, Any]:
    """Settle 1,000 logins, recreate the topic with 1,600, and let the mapping give up on all of them."""
    mapping: dict[str, Any] = {"retries": ONCE_AGAIN, "on_failure": stage.dead_letters}
    stage.produce(logins(1000), partition=0)
    with stage.event_source(**mapping) as source:
        stage.settle(source)
    empty(real)
    stage.commit(0)
    stage.produced.clear()
    stage.produce(logins(1600, begin=1000), partition=0)
    with stage.event_source(**mapping) as source:
        eventually(lambda: stage.committed().get(0) == 1600, stage.state)
        assert source.stats.given_up
    assert stage.settled() == {0: 1000}
    assert "logins: stopped on partition 0 (offsets-went-back): see tandem resume --help" in tandem(
        stage, "status", exit_code=3
    )
    assert "would send 0 records" in tandem(stage, "dead-letters", "redrive", "--given-up")
    return mapping


def test_what_a_mapping_gave_up_on_a_recreated_topic_is_settled_after_a_rewind(stage: Stage, real: Apache) -> None:
    mapping = recreated_under_a_mapping(stage, real)
    days_later(stage)
    shown = tandem(stage, "rewind", "0", "--to", "0")
    assert "stopped: offsets-went-back; a rewind ends the stop" in shown
    tandem(stage, "rewind", "0", "--to", "0", "--from", "1000", "--execute")
    with stage.event_source(**mapping) as source:
        stage.settle(source)
    assert "would send 0 records" in tandem(stage, "dead-letters", "redrive", "--given-up")
    rows = stage.found().rows
    assert sorted(row["logged_in_at"] for _, row in rows) == [login_time(number) for number in range(2600)]


def test_what_a_mapping_gave_up_before_a_resume_is_a_gap_that_is_redriven(stage: Stage, real: Apache) -> None:
    mapping = recreated_under_a_mapping(stage, real)
    shown = tandem(stage, "resume", "0")
    assert "records below offset 1000 count as settled" in shown
    assert "tandem rewind 0 --to OFFSET" in shown
    assert "the stop is ended" in tandem(stage, "resume", "0", "--execute")
    assert "is not stopped" in tandem(stage, "resume", "0", "--execute", fails=True)
    stage.produce(logins(10, begin=2600), partition=0)
    with stage.event_source(**mapping) as source:
        stage.settle(source)
        assert stage.gaps(0) == [Gap(1000, 1599)]
        assert "sent 600 records" in tandem(stage, "dead-letters", "redrive", "--given-up", "--execute")
        eventually(lambda: stage.settled()[0] == 2210, stage.state)
    rows = stage.found().rows
    expected = [*range(1000), *range(2000, 2610)]  # the first 1,000 of the new log count as settled
    assert sorted(row["logged_in_at"] for _, row in rows) == [login_time(number) for number in expected]


def test_a_flood_is_resumed_and_its_rejects_become_dead_letters(stage: Stage) -> None:
    stage.produce([ProducedRecord(b"{", "undecodable")] * 1500, partition=1)
    with stage.worker() as worker:
        eventually(lambda: "records were rejected" in worker.tail(), worker.tail)
    for _ in range(2):  # no restart passes a stop
        with stage.worker() as worker:
            eventually(lambda: "until an operator resumes it" in worker.tail(), worker.tail)
    settled = stage.settled().get(1, 0)
    assert len(stage.found().letters) == settled < 1000
    since = next(word for word in tandem(stage, "resume", "1").split() if word.startswith("20")).rstrip(",")
    wrong = since.replace("Z", "9Z")
    assert "nothing was done" in tandem(stage, "resume", "1", "--since", wrong, "--execute", fails=True)
    assert "the stop is ended" in tandem(stage, "resume", "1", "--since", since, "--execute")
    stage.produce(logins(20), partition=1)
    with stage.worker() as worker:
        stage.settle(worker)
    assert (len(stage.found().letters), len(stage.found().rows)) == (1500, 20)


class DeadError(Exception):
    """A process that ends between two transactions."""


@dataclass(frozen=True)
class DyingLedger(DynamoLedger):
    """The process ends after one transaction."""

    transactions: list[int] = field(default_factory=list)

    def advance(self, *arguments: Any) -> bool:
        if self.transactions:
            raise DeadError
        self.transactions.append(1)
        return super().advance(*arguments)


def put_and_damage(stage: Stage, partition: int, *, with_step: bool) -> None:
    """Put a lake object, with one or no transaction of its counts done, and damage the object."""
    app = App(read(stage.environment))
    ledger = app.stage_ledger
    dying = DyingLedger(ledger.dynamodb, ledger.table, ledger.counters, 3, [] if with_step else [1])
    settler = replace(app.settler, stores=replace(app.settler.stores, ledger=dying))
    with pytest.raises(DeadError):
        settler.settle(whole_log(stage, partition))
    (entry,) = stage.s3.list_objects_v2(Bucket=stage.lake)["Contents"]
    body = stage.s3.get_object(Bucket=stage.lake, Key=entry["Key"])["Body"].read()
    stage.s3.put_object(Bucket=stage.lake, Key=entry["Key"], Body=without_first_column(body))


@pytest.mark.parametrize("with_step", [False, True])
def test_an_object_that_stops_a_partition_is_set_aside_and_everything_is_exact(stage: Stage, with_step: bool) -> None:  # noqa: FBT001
    stage.produce([login(60 * number) for number in range(40)], partition=1)
    put_and_damage(stage, 1, with_step=with_step)
    assert sum(stage.found().counters.values()) == 3 * with_step
    with stage.worker() as worker:
        eventually(lambda: "`tandem quarantine`" in worker.tail(), worker.tail)
    assert "stopped on partition 1 (corrupt)" in tandem(stage, "status", exit_code=3)
    assert ("the counts of 1 transaction are subtracted first" in tandem(stage, "quarantine", "1")) == with_step
    copy = tandem(stage, "quarantine", "1", "--execute").splitlines()[-2].split()[-1]
    assert copy.startswith(f"s3://{stage.dead_letters}/logins/quarantine/day=")
    assert "the object was set aside before" in tandem(stage, "quarantine", "1", "--execute")
    assert sum(stage.found().counters.values()) == 0
    assert stage.found().rows == []
    tandem(stage, "resume", "1", "--execute")
    with stage.worker() as worker:
        stage.settle(worker)
    found = stage.found()
    assert sorted(place for place, _ in found.rows) == [(1, offset) for offset in range(40)]
    assert {amount for amount in found.counters.values() if amount} == {1}
    assert sum(found.counters.values()) == 40
    assert "is not stopped" in tandem(stage, "quarantine", "1", fails=True)


def test_a_batch_that_the_mapping_gave_up_on_is_redriven_where_a_gap_says_so(stage: Stage, proxy: Proxy) -> None:
    mapping: dict[str, Any] = {"retries": ONCE_AGAIN, "on_failure": stage.dead_letters, "timeout": 4}
    with stage.event_source(variables=proxy.environment, **mapping) as source:
        stage.produce(logins(4), partition=0)
        stage.settle(source)
        proxy.refuse()
        stage.produce(logins(5, begin=4), partition=0)
        eventually(lambda: source.stats.records == 9, stage.state)
        assert source.stats.given_up
    proxy.accept()  # not before the function has ended: a thread of it may be about to settle what was given up
    with stage.event_source(**mapping) as source:
        stage.produce(logins(2, begin=9), partition=0)
        stage.settle(source)
        lost = sum(gap.last - gap.first + 1 for gap in stage.gaps(0))
        assert lost == 5
        assert f"sent {lost} record" in tandem(stage, "dead-letters", "redrive", "--given-up", "--execute")
        assert "sent 0 records" in tandem(stage, "dead-letters", "redrive", "--given-up", "--execute")
        eventually(lambda: stage.settled()[0] == 11 + lost, stage.state)
    rows = stage.found().rows
    assert sorted(row["logged_in_at"] for _, row in rows) == [login_time(number) for number in range(11)]


def login_time(number: int) -> datetime:
    """The time that a login states."""
    return datetime.fromtimestamp(BEGIN + number, UTC)


def days_later(stage: Stage) -> None:
    """Move the lake's objects to an earlier day than that of new ones."""
    today = datetime.now(UTC).date()
    for entry in stage.s3.list_objects_v2(Bucket=stage.lake)["Contents"]:
        key = entry["Key"].replace(str(today), str(today - timedelta(days=3)))
        stage.s3.copy_object(Bucket=stage.lake, Key=key, CopySource=f"{stage.lake}/{entry['Key']}")
        stage.s3.delete_object(Bucket=stage.lake, Key=entry["Key"])


@pytest.mark.parametrize("verb", [["status"], ["dead-letters", "list"]])
def test_verbs_that_change_nothing_work_on_a_stage_that_never_ran(stage: Stage, verb: list[str]) -> None:
    assert tandem(stage, *verb)


@pytest.fixture(params=["memory", "apache"])
def kafka_ports(request: pytest.FixtureRequest) -> Kafka:
    """The ports to brokers as in tests/contracts/operators, here on Apache Kafka."""
    topic = f"contract-{secrets.token_hex(4)}"
    if request.param == "memory":
        memory = MemoryKafka()
        memory.create_topic(topic, 4)
        return Kafka(topic, memory, memory, memory)
    broker: Apache = request.getfixturevalue("real")
    broker.create_topic(topic, 4)
    return real_kafka(broker.bootstrap, topic, f"{topic}-group")


def test_the_first_newer_record_is_found_by_its_timestamp(kafka_ports: Kafka) -> None:
    topic, brokers, before = kafka_ports.topic, kafka_ports.brokers, int(time.time() * 1000) - 60_000
    records = [OutgoingRecord(RecordPlace("old", 0, offset), 3, None, b"{}", []) for offset in range(3)]
    assert brokers.first_newer(topic, 3, before) is None
    assert len(kafka_ports.sender.send(topic, records).acknowledged) == 3
    assert brokers.first_newer(topic, 3, before) == 0
    assert brokers.first_newer(topic, 3, before + 120_000) is None
    assert brokers.first_newer(topic, 2, -1) is None


def test_a_topic_created_again_has_another_id(kafka_ports: Kafka, request: pytest.FixtureRequest) -> None:
    topic, brokers = kafka_ports.topic, kafka_ports.brokers
    before = brokers.topic_id(topic)
    assert before is not None
    assert brokers.topic_id(topic) == before
    if isinstance(brokers, MemoryKafka):
        brokers.create_topic(topic, 4)
    else:
        broker: Apache = request.getfixturevalue("real")
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        admin.delete_topics([topic])[topic].result(30)
        broker.create_topic(topic, 4)
    assert brokers.topic_id(topic) not in {None, before}


def test_a_group_that_nobody_joined_has_no_members_and_an_unknown_topic_is_refused(kafka_ports: Kafka) -> None:
    assert not kafka_ports.brokers.has_members()
    with pytest.raises(Refused, match="no-such-topic"):
        kafka_ports.brokers.partitions("no-such-topic")


def test_a_group_with_members_accepts_no_commit(real: Apache) -> None:
    topic = f"contract-{secrets.token_hex(4)}"
    real.create_topic(topic, 4)
    kafka = real_kafka(real.bootstrap, topic, f"{topic}-group")
    consumer = Consumer({"bootstrap.servers": real.bootstrap, "group.id": f"{topic}-group"})
    try:
        consumer.subscribe([topic])
        eventually(lambda: consumer.poll(0.2) is None and consumer.assignment(), lambda: "the consumer has not joined")
        assert kafka.brokers.has_members()
        with pytest.raises(Refused):
            kafka.brokers.commit(topic, 3, 2)
    finally:
        consumer.close()
    assert not kafka.brokers.has_members()
    kafka.brokers.commit(topic, 3, 2)
    assert kafka.brokers.committed(topic, range(4)) == {3: 2}


def test_an_event_is_invoked_on_the_stages_real_stores(stage: Stage, tmp_path: Path) -> None:
    record = {
        "topic": PIPELINE.topic, "partition": 1, "offset": 0, "timestamp": 1_767_225_600_000,
        "timestampType": "CREATE_TIME", "value": b64encode(login(1).value or b"").decode(), "headers": [],
    }  # fmt: skip
    event = tmp_path / "event.json"
    bad = record | {"offset": 1, "value": b64encode(b"{").decode()}
    event.write_text(json.dumps({"eventSource": "aws:kafka", "records": {f"{PIPELINE.topic}-1": [record, bad]}}))
    invoked = tandem(stage, "invoke", str(event), "--pipeline", PIPELINE.name, "--real-stores")
    assert invoked.startswith("user-login-1 [0, 1]: settled: records 2, rows 1, rejects 1, dropped 0\n")
    assert stage.settled() == {1: 2}
    assert "undecodable" in tandem(stage, "dead-letters", "show", "user-login/1/1")
    again = tandem(stage, "invoke", str(event), "--pipeline", PIPELINE.name, "--real-stores")
    assert again.endswith("records 0, rows 0, rejects 0, dropped 0, settled before 2\n")
