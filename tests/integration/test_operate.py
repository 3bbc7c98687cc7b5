"""The operator's verbs on a real broker: a mended bug and its redrive, and a topic that was made anew."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from functions.bootstrap import App
from functions.core.slice import Slice
from functions.local.broker.apache import Apache
from functions.pipelines.logins import PIPELINE
from functions.settings import read
from tests.integration.conftest import empty
from tests.integration.records import BEGIN, login, logins
from tests.integration.stage import Stage
from tests.integration.test_msk import ONCE_AGAIN
from tests.integration.waiting import eventually
from tests.proxy.proxy import Proxy


def tandem(stage: Stage, *arguments: str, fails: bool = False) -> str:
    """What a verb says, on standard output or, when it fails, as its error."""
    done = subprocess.run(
        [sys.executable, "-m", "functions.cli", *arguments],
        env=os.environ | stage.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == int(fails), done.stdout + done.stderr
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


def settle_with_a_bug(stage: Stage, partition: int) -> None:
    """As a release that could not process a single login would have settled what is there."""
    found = log(stage, partition)
    part = Slice(
        PIPELINE.topic, partition, 0, len(found) - 1,
        [one.offset() for one in found], [one.timestamp()[1] for one in found], [one.key() for one in found],
        [one.value() for one in found], [one.headers() or () for one in found],
    )  # fmt: skip
    settler = App(read(stage.environment)).settler
    replace(settler, pipeline=replace(PIPELINE, process=_bug)).settle(part)


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
        assert "sent 1 record to user-login" in tandem(stage, "dead-letters", "redrive", "--go")
        assert "sent 0 records" in tandem(stage, "dead-letters", "redrive", "--go")
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


def test_a_topic_that_was_made_anew_is_rewound_and_nothing_is_lost(stage: Stage, real: Apache) -> None:
    stage.produce(logins(20), partition=0)
    with stage.worker() as worker:
        stage.settle(worker)
        assert "this is the log that was settled" in tandem(stage, "rewind", "0", "--to", "0", fails=True)
    empty(real)
    stage.produced.clear()
    stage.produce(logins(5, begin=100), partition=0)
    with stage.worker() as worker:
        eventually(lambda: "the log ends at 5" in worker.get("/readyz")[1], worker.said)
        assert "a runtime is in the group" in tandem(stage, "rewind", "0", "--to", "0", fails=True)
        worker.terminate()
        assert worker.exit_code() == 0
    assert "lake object of the old log" in tandem(stage, "rewind", "0", "--to", "0", fails=True)
    days_later(stage)
    assert tandem(stage, "rewind", "0", "--to", "0").endswith("tandem rewind 0 --to 0 --from 20 --go\n")
    assert "moved the ledger from 20 to 0" in tandem(stage, "rewind", "0", "--to", "0", "--from", "20", "--go")
    assert stage.committed()[0] == 0
    with stage.worker() as worker:
        stage.settle(worker)
    assert len(stage.found().rows) == 25


def test_a_batch_that_the_mapping_gave_up_on_is_redriven_where_a_gap_says_so(stage: Stage, proxy: Proxy) -> None:
    mapping: dict[str, Any] = {"patience": ONCE_AGAIN, "on_failure": stage.dead_letters, "timeout": 2}
    with stage.event_source(variables=proxy.environment, **mapping) as source:
        stage.produce(logins(4), partition=0)
        stage.settle(source)
        proxy.refuse()
        stage.produce(logins(5, begin=4), partition=0)
        eventually(lambda: source.stats.given_up, stage.state)
    proxy.accept()  # not before the function has ended: a thread of it may be about to settle what was given up
    with stage.event_source(**mapping) as source:
        stage.produce(logins(2, begin=9), partition=0)
        stage.settle(source)
        lost = sum(gap.last - gap.first + 1 for gap in stage.gaps(0))
        assert lost > 0
        assert f"sent {lost} record" in tandem(stage, "dead-letters", "redrive", "--given-up", "--go")
        assert "sent 0 records" in tandem(stage, "dead-letters", "redrive", "--given-up", "--go")
        eventually(lambda: stage.settled()[0] == 11 + lost, stage.state)
    rows = stage.found().rows
    assert sorted(row["logged_in_at"] for _, row in rows) == [at(number) for number in range(11)]


def at(number: int) -> datetime:
    """When a login says that it was."""
    return datetime.fromtimestamp(BEGIN + number, UTC)


def days_later(stage: Stage) -> None:
    """Let what is in the lake be of another day than the new objects."""
    today = datetime.now(UTC).date()
    for entry in stage.s3.list_objects_v2(Bucket=stage.lake)["Contents"]:
        key = entry["Key"].replace(str(today), str(today - timedelta(days=3)))
        stage.s3.copy_object(Bucket=stage.lake, Key=key, CopySource=f"{stage.lake}/{entry['Key']}")
        stage.s3.delete_object(Bucket=stage.lake, Key=entry["Key"])


@pytest.mark.parametrize("verb", [["status"], ["dead-letters", "list"]])
def test_verbs_that_only_look_work_on_a_stage_that_never_ran(stage: Stage, verb: list[str]) -> None:
    assert tandem(stage, *verb)
