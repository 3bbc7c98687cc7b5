"""The verbs of `tandem dead-letters` as processes on a real broker: killed, interrupted, two at once, and piped."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import boto3
import pytest

from functions.core import names
from functions.core.redrive import REDRIVEN_FROM, ClaimState
from functions.operate.redrive.plan import STALE_CLAIM_AFTER
from tests.integration.records import logins
from tests.integration.stage import Stage
from tests.integration.test_operate import log, settle_with_a_bug, tandem
from tests.integration.waiting import PATIENCE, eventually

LETTERS: Final = 150  # of each of two partitions
REDRIVE: Final = ("dead-letters", "redrive", "--execute")


@pytest.fixture
def stocked(stage: Stage) -> Stage:
    """A stage in which a bug has rejected every record of two partitions."""
    for partition in (0, 1):
        stage.produce(logins(LETTERS), partition=partition)
        settle_with_a_bug(stage, partition)
    return stage


@contextmanager
def started(stage: Stage, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a verb, and kill it at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "functions.cli.main", *arguments],
        env=os.environ | stage.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def redriven(stage: Stage) -> list[int]:
    """The offsets of the records that a redrive has sent, in the order of the log, of both partitions."""
    found = [message for partition in (0, 1) for message in log(stage, partition)[LETTERS:]]
    return [int(dict(message.headers())[REDRIVEN_FROM].rpartition(b"/")[2]) for message in found]


def claims(stage: Stage) -> list[dict[str, dict[str, str]]]:
    table = (
        boto3.Session().client("dynamodb").scan(TableName=names.ledger_table(stage.name), ConsistentRead=True)["Items"]
    )
    return [item for item in table if item["partition"]["S"].startswith("#redriven#")]  # type: ignore[misc]


def later(stage: Stage) -> None:
    """Let the claims of the dead be as old as if minutes had passed."""
    for claim in claims(stage):
        if claim["state"]["S"] == ClaimState.SENDING:
            before = datetime.fromisoformat(claim["at"]["S"]) - STALE_CLAIM_AFTER
            item = claim | {"at": {"S": before.isoformat()}}
            boto3.Session().client("dynamodb").put_item(TableName=names.ledger_table(stage.name), Item=item)


def test_killed_redrives_send_each_record_once_and_in_order(stocked: Stage) -> None:
    chance = random.Random(15)  # noqa: S311 - the same moments in each run
    for _ in range(3):
        sent = chance.randrange(5, 25)
        before = len(claims(stocked))
        with started(stocked, *REDRIVE, "--per-second", "10") as process:  # so that no machine is too slow to kill it
            at_claim: Callable[[], bool] = lambda: len(claims(stocked)) >= before + sent  # noqa: E731, B023
            eventually(lambda: process.poll() is not None or at_claim(), lambda: len(claims(stocked)))  # noqa: B023
            process.kill()
        assert process.wait() == -signal.SIGKILL
        later(stocked)
    tandem(stocked, *REDRIVE)
    later(stocked)
    assert "sent 0 records" in tandem(stocked, *REDRIVE)
    assert redriven(stocked) == [*range(LETTERS)] * 2
    assert tandem(stocked, "dead-letters", "list").startswith(
        f"0 open dead letters; {2 * LETTERS} redriven and 0 discarded"
    )


@pytest.mark.parametrize(
    ("verb", "done"), [("redrive", "interrupted: sent "), ("discard", "interrupted: discarded the letters of ")]
)
def test_ctrl_c_ends_in_good_order_and_the_same_command_continues(stocked: Stage, verb: str, done: str) -> None:
    command = ("dead-letters", verb, "--reason", "failed", "--execute")
    with started(stocked, *command, "--per-second", "10") as process:
        eventually(lambda: len(claims(stocked)) >= 20, lambda: len(claims(stocked)))
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert error.splitlines()[-1].startswith(done)
    assert "Traceback" not in error
    before = len(claims(stocked))
    assert 20 <= before < 2 * LETTERS
    assert {claim["state"]["S"] for claim in claims(stocked)} <= {ClaimState.SENT, ClaimState.DISCARDED}
    assert f"{2 * LETTERS - before:,} record" in tandem(stocked, *command).splitlines()[-1]
    if verb == "redrive":
        assert redriven(stocked) == [*range(LETTERS)] * 2


def test_two_operators_at_once_send_each_record_once_and_in_order(stocked: Stage) -> None:
    with started(stocked, *REDRIVE) as one, started(stocked, *REDRIVE) as two:
        for process in (one, two):
            _, error = process.communicate(timeout=PATIENCE)
            assert (process.returncode, error) == (0, "")
    tandem(stocked, *REDRIVE)
    assert redriven(stocked) == [*range(LETTERS)] * 2


def test_letters_are_summarized_and_exported(stocked: Stage, tmp_path: Path) -> None:
    assert f"{2 * LETTERS} open dead letters in 1 group" in tandem(stocked, "dead-letters", "summary")
    file = tmp_path / "letters.jsonl"
    tandem(stocked, "dead-letters", "export", "--partition", "1", "--to", str(file))
    letters = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(each["partition"], each["offset"]) for each in letters] == [(1, offset) for offset in range(LETTERS)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"open dead letters: {2 * LETTERS} failed" in tandem(stocked, "status")


def test_an_export_to_a_closed_pipe_or_a_wrong_path_is_no_traceback(stocked: Stage) -> None:
    with started(stocked, "dead-letters", "export") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith('{"version": 1')
        process.stdout.close()
        assert process.stderr is not None
        error = process.stderr.read()
        assert (process.wait(60), error) == (1, "")
    wrong = tandem(stocked, "dead-letters", "export", "--to", "/none/file", exit_code=2)
    assert wrong == ""
