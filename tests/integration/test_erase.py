"""Erasing one person on the real parts: a broker, a worker, buckets with versions, and the command in a process."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.integration.records import login, logins
from tests.integration.stage import Stage
from tests.integration.test_operate import tandem

EXIT_LEFT = 3


@pytest.fixture
def versioned(stage: Stage) -> Stage:
    """A stage whose buckets keep versions, as the CDK's do."""
    for bucket in (stage.lake, stage.dead_letters):
        stage.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return stage


def settle(stage: Stage, count: int, begin: int = 0) -> None:
    stage.produce(logins(count, begin=begin))
    with stage.worker() as worker:
        stage.settle(worker)


def versions(stage: Stage, bucket: str) -> list[Any]:
    return list(stage.s3.list_object_versions(Bucket=bucket).get("Versions", []))


def erase(stage: Stage, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(tandem(stage, "erase", *arguments, "--json", exit_code=exit_code))
    return report


def test_a_person_disappears_and_settling_goes_on_exactly(versioned: Stage) -> None:
    stage, person = versioned, login(5)
    settle(stage, 40)
    before, user = stage.found(), json.loads(person.value or b"")["user_id"]
    mine = {place for place, row in before.rows if row["user_id"] == user}
    assert mine
    plan = erase(stage, user, exit_code=EXIT_LEFT)
    assert stage.found().rows == before.rows, "without --execute nothing changes"
    done = erase(stage, user, "--execute")
    assert [each["found"] for each in plan["stores"]] == [each["erased"] for each in done["stores"]]
    after = stage.found()
    assert sorted(after.rows) == sorted(row for row in before.rows if row[0] not in mine)
    assert after.table == {key: item for key, item in before.table.items() if key != user}
    assert after.counters == before.counters
    assert len(versions(stage, stage.lake)) == len({each["Key"] for each in versions(stage, stage.lake)})
    assert erase(stage, user)["clean"]
    settle(stage, 40, begin=100)
    assert len(stage.found().rows) == len(after.rows) + 40


def test_a_command_that_was_killed_is_run_again(versioned: Stage) -> None:
    stage, user = versioned, json.loads(login(5).value or b"")["user_id"]
    settle(stage, 40)
    objects = len(versions(stage, stage.lake))
    command = [sys.executable, "-m", "functions.cli.main", "erase", user, "--execute", "--json"]
    for delay in (0.9, 1.2, 1.5, 1.8):
        process = subprocess.Popen(command, env=os.environ | stage.environment, stdout=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert erase(stage, user, "--execute")["clean"]
    assert len(versions(stage, stage.lake)) == objects
    assert user not in {row["user_id"] for _, row in stage.found().rows}
    assert erase(stage, user)["clean"]
