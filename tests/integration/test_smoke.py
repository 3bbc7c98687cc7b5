"""The smoke test on the real parts: it leaves the stage as it was, and notices what is lost."""

import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.bootstrap import App
from functions.settings import read
from sandbox.aws import LocalAws
from sandbox.broker.broker import Broker
from sandbox.demo import read_back
from sandbox.demo.logins import generate
from sandbox.smoke.command import SmokeOptions, follow
from sandbox.smoke.kafka import Sender
from sandbox.smoke.local import LocalSmokeStage, local_smoke_stage
from sandbox.smoke.pod import Pod
from sandbox.smoke.target import Target
from tests.integration.waiting import eventually

OPTIONS = SmokeOptions("sandbox", 300, 1, as_json=True)
KUBECTL = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
cd "$(dirname "$0")"
exec "$@"
"""


@pytest.fixture
def local(broker: Broker, aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalSmokeStage]:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)  # as the stage does, but only during this test
    with local_smoke_stage(broker, aws, tmp_path) as stage:
        yield stage


def ran(
    stage: LocalSmokeStage, capsys: pytest.CaptureFixture[str], *, hand_over: Callable[[], None] | None = None,
    program: tuple[str, ...] = (sys.executable, "-m", "sandbox.smoke"),
) -> tuple[int, dict[str, Any]]:  # fmt: skip
    arguments = ["--stage", stage.stack.stage.name, "--records", "300", "--stuck-seconds", "60", "--handover"]
    environment = os.environ | stage.environment
    code = follow([*program, *arguments], environment, hand_over or stage.hand_over, OPTIONS)
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def contents(stage: LocalSmokeStage) -> tuple[Any, ...]:
    """Everything in the stores, sorted."""
    local = stage.stack.stage
    return (
        sorted(read_back.lake_rows(local.s3, local.lake, "logins")),
        sorted(read_back.dead_letters(local.s3, local.dead_letters, "logins"), key=lambda each: each.place),
        read_back.counters(local.dynamodb.Table(f"tandem-{local.name}-counters")),
        read_back.table_rows(local.dynamodb.Table(f"tandem-{local.name}-table-last-login")),
    )


def test_it_proves_a_handover_and_leaves_the_records_of_others_as_they_were(
    local: LocalSmokeStage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in local.environment.items():
        monkeypatch.setenv(name, value)
    target = Target(read(local.stack.stage.environment))
    others = Sender(target)
    others.send(generate(200, 2))
    ledger = App(target.settings).stage_ledger

    def settled() -> int:
        return sum(position.next for position in ledger.positions("logins", target.source).values())

    eventually(lambda: settled() == 200, lambda: f"{settled()} of 200")
    before = contents(local)
    code, result = ran(local, capsys)
    assert (code, result["exact"], result["clean"]) == (0, True, True), result
    assert result["records_in"] == 300
    assert result["dead_letters"] > 0
    assert local.msk.stats.invocations > 0
    assert contents(local) == before


def test_it_notices_what_is_lost_and_keeps_everything(
    local: LocalSmokeStage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = local.stack.stage

    def losing() -> None:
        (first, *_) = stage.s3.list_objects_v2(Bucket=stage.lake)["Contents"]
        stage.s3.delete_object(Bucket=stage.lake, Key=first["Key"])
        local.hand_over()

    code, result = ran(local, capsys, hand_over=losing)
    assert (code, result["exact"], result["clean"]) == (1, False, False)
    assert result["missing"] > 0
    assert read_back.lake_rows(stage.s3, stage.lake, "logins")


def test_it_runs_in_a_pod(
    local: LocalSmokeStage, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for kubectl runs what it is given here, in another folder."""
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    for program, text in (
        (kubectl, KUBECTL),
        (kubectl.with_name("python"), f'#!/bin/sh\nexec {sys.executable} "$@"\n'),
    ):
        program.write_text(text)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{kubectl.parent}{os.pathsep}{os.environ['PATH']}")
    file = tmp_path / f"{secrets.token_hex(4)}.pyz"
    monkeypatch.setattr("sandbox.smoke.pod.FILE", str(file))
    code, result = ran(local, capsys, program=tuple(Pod("tandem-admin", "admin").prepare()))
    assert (code, result["exact"], result["clean"]) == (0, True, True), result
    assert file.exists()
