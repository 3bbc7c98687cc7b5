"""`tandem handover` on real parts: the verb's process, Kafka, both runtimes, and the APIs that switch them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from functions.core import names
from functions.core.handover_ports import Runtime
from functions.pipelines.logins import PIPELINE
from sandbox.control_plane.local_worker import LocalWorker
from sandbox.control_plane.runtimes import PipelineRuntimes, Switch
from sandbox.control_plane.server import ControlPlane
from sandbox.event_source.source import EventSource
from tests.integration.accounting import account
from tests.integration.records import logins
from tests.integration.stage import Stage
from tests.integration.waiting import PATIENCE, eventually

pytest.importorskip("kubernetes")
STEPS = ("msk is disabled", "the group is empty", "worker is enabled", "worker settles", "recorded worker")


@dataclass(frozen=True)
class Switched:
    """A stage whose runtimes are switched by a control plane. `msk` is enabled at first."""

    stage: Stage
    msk: EventSource
    worker: LocalWorker
    environment: dict[str, str]

    def hand_over(self, target: Runtime, *options: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "functions.cli.main", "handover", "logins", "--to", target, *options]
        return subprocess.Popen(
            [*command, "--execute", "--timeout", str(PATIENCE)], env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def age_claim(self) -> None:
        """Let time pass for the claim that a killed run left."""
        table = self.stage.dynamodb.Table(names.ledger_table(self.stage.name))
        key = {"pipeline": "logins", "partition": "#handover"}
        if "Item" in table.get_item(Key=key):
            table.update_item(
                Key=key, UpdateExpression="SET #at = :at", ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": "2020-01-01T00:00:00+00:00"},
            )  # fmt: skip


@pytest.fixture
def switched(stage: Stage, tmp_path: Path) -> Iterator[Switched]:
    msk = stage.event_source()
    with ExitStack() as running:
        worker = running.enter_context(LocalWorker(stage.environment, tmp_path / "worker.log"))
        running.callback(msk.stop, 10.0)
        msk.start()
        switches = PipelineRuntimes(PIPELINE.topic, Switch(msk, enabled=True), Switch(worker, enabled=False))
        plane = running.enter_context(ControlPlane(stage.name, {"logins": switches}, tmp_path))
        yield Switched(stage, msk, worker, os.environ | stage.environment | plane.environment())


def settle_all(stage: Stage) -> None:
    """Wait until the runtime that is enabled has settled everything."""
    eventually(lambda: stage.settled() == stage.ends(), stage.state)


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = process.communicate(timeout=4 * PATIENCE)
    return process.returncode, output


def test_records_cross_from_lambda_to_the_worker_and_back(switched: Switched) -> None:
    stage = switched.stage
    stage.produce(logins(40))
    code, output = finished(switched.hand_over(Runtime.WORKER))
    assert code == 0, output
    assert (switched.msk.running, switched.worker.running) == (False, True)
    stage.produce(logins(40, begin=40))
    settle_all(stage)
    code, output = finished(switched.hand_over(Runtime.MSK))
    assert code == 0, output
    assert (switched.msk.running, switched.worker.running) == (True, False)
    stage.produce(logins(40, begin=80))
    settle_all(stage)
    account(stage.produced, stage.found())


@pytest.mark.parametrize("step", STEPS)
def test_a_verb_that_is_killed_after_a_step_goes_on_when_it_runs_again(switched: Switched, step: str) -> None:
    stage = switched.stage
    stage.produce(logins(40))
    process = switched.hand_over(Runtime.WORKER)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(step):
            break
    process.kill()
    process.communicate()
    switched.age_claim()
    code, output = finished(switched.hand_over(Runtime.WORKER))
    assert code == 0, output
    assert (switched.msk.running, switched.worker.running) == (False, True)
    settle_all(stage)
    account(stage.produced, stage.found())


def test_a_second_operator_is_refused(switched: Switched) -> None:
    first = switched.hand_over(Runtime.WORKER)
    table = switched.stage.dynamodb.Table(names.ledger_table(switched.stage.name))
    eventually(
        lambda: "Item" in table.get_item(Key={"pipeline": "logins", "partition": "#handover"}), lambda: "no claim yet"
    )
    code, output = finished(switched.hand_over(Runtime.MSK))
    assert (code, "a handover to worker is under way" in output) == (1, True), output
    assert finished(first)[0] == 0


def test_the_choice_is_where_a_release_looks_for_it(switched: Switched) -> None:
    code, output = finished(switched.hand_over(Runtime.WORKER))
    assert code == 0, output
    ssm = boto3.Session().client("ssm")
    parameter = names.runtime_parameter(switched.stage.name, "logins")
    assert ssm.get_parameter(Name=parameter)["Parameter"]["Value"] == "worker"
