"""The Lambda function with its event source mapping: killed, timed out, given up, and nothing lost or doubled."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.core.backoff import Backoff
from functions.core.intent import Gap
from sandbox.broker.apache import Apache
from sandbox.event_source.retry_policy import RetryPolicy
from tests.integration.accounting import account
from tests.integration.found import objects
from tests.integration.records import logins
from tests.integration.stage import Stage
from tests.integration.waiting import eventually
from tests.proxy.faults import HeldRequest
from tests.proxy.proxy import Proxy

ONCE_AGAIN = RetryPolicy(1, backoff=Backoff(initial_seconds=0.05, max_seconds=0.1))
HANDLER = "faulty.handler"
FAULTY = '''
"""The function, but it fails while the file `broken` exists, and does not return while `slow` exists."""

import time
from pathlib import Path

from functions.runtimes.msk.handler import handler as settle


def handler(event, context):
    if Path("broken").exists():
        raise RuntimeError("broken")
    answer = settle(event, context)
    while Path("slow").exists():
        time.sleep(0.01)
    return answer
'''


@pytest.fixture
def faulty(stage: Stage) -> dict[str, Any]:
    """The settings of an event source for that function."""
    (stage.folder / "faulty.py").write_text(FAULTY)
    return {"handler": HANDLER, "root": stage.folder, "variables": {"PYTHONPATH": str(Path.cwd())}}


@pytest.mark.parametrize(
    ("pattern", "before"),
    [("PUT /test", False), ("TransactWriteItems", True), ("TransactWriteItems", False)],
    ids=["after the object", "before the transaction", "after the transaction"],
)
def test_an_environment_killed_in_mid_batch_gets_it_again_and_nothing_is_doubled(
    stage: Stage, proxy: Proxy, pattern: str, *, before: bool
) -> None:
    stage.produce(logins(300))
    held = proxy.fault = HeldRequest(pattern, before=before)
    with stage.event_source(variables=proxy.environment, batch_size=200) as source:
        eventually(held.holding.is_set, stage.state)
        assert source.kill_environment()
        held.release()
        stage.settle(source)
    assert source.stats.failures == 1
    account(stage.produced, stage.found())


def test_a_function_that_times_out_after_settling_gets_its_batch_again_and_nothing_is_doubled(
    stage: Stage, faulty: dict[str, Any]
) -> None:
    slow = stage.folder / "slow"
    slow.touch()
    stage.produce(logins(100))
    with stage.event_source(**faulty, timeout=6.0) as source:
        eventually(lambda: stage.settled() == stage.ends(), stage.state)
        before = source.stats.failures
        eventually(lambda: source.stats.failures > before, stage.state)
        slow.unlink()
        eventually(lambda: source.stats.records == 100, stage.state)
    assert source.stats.environments > 1, "no function was killed"
    assert stage.settled() == stage.ends()
    account(stage.produced, stage.found())


def test_a_store_that_does_not_answer_in_time_fails_the_invocation_with_an_error(stage: Stage, proxy: Proxy) -> None:
    stage.produce(logins(100))
    held = proxy.fault = HeldRequest("TransactWriteItems")
    patient = proxy.environment | {"TANDEM_TIME_MARGIN_SECONDS": "15"}  # time to raise in, on a busy machine as well
    with stage.event_source(variables=patient, timeout=18) as source:
        eventually(lambda: source.stats.failures, stage.state)
        held.release()
        stage.settle(source)
    assert source.stats.environments == 1, "the function was killed: it did not raise before its time was up"
    assert "not settled when the time was up" in (stage.folder / "lambda.log").read_text()
    account(stage.produced, stage.found())


def test_a_batch_given_up_is_in_s3_and_the_next_batch_records_the_gap(stage: Stage, faulty: dict[str, Any]) -> None:
    broken = stage.folder / "broken"
    with stage.event_source(**faulty, retries=ONCE_AGAIN, on_failure=stage.dead_letters) as source:
        stage.produce(logins(20), partition=0)
        stage.settle(source)
        broken.touch()
        stage.produce(logins(30, begin=20), partition=0)
        eventually(lambda: source.stats.records == 50, stage.state)
        assert source.stats.given_up
        broken.unlink()
        stage.produce(logins(10, begin=50), partition=0)
        stage.settle(source)
    assert stage.gaps(0) == [Gap(20, 49)]
    stored = [json.loads(body) for _, body in objects(stage.s3, stage.dead_letters, "aws/lambda/")]
    extents = [batch["KafkaBatchInfo"]["recordsInfo"]["user-login-0"] for batch in stored]
    assert (extents[0]["firstRecordOffset"], extents[-1]["lastRecordOffset"]) == ("20", "49")
    account(stage.produced, stage.found(), given_up=frozenset((0, offset) for offset in range(20, 50)))


def test_a_commit_rewound_by_hand_repeats_records_and_doubles_nothing(stage: Stage) -> None:
    if not isinstance(stage.broker, Apache):
        pytest.skip("the embedded broker does not notice in time that a member left")
    stage.produce(logins(200))
    with stage.event_source() as source:
        stage.settle(source)
    stage.commit(0)
    with stage.event_source() as again:
        eventually(lambda: again.stats.records == 200, stage.state)
    account(stage.produced, stage.found())
