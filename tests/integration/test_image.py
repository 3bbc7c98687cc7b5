"""The worker in an environment like its image's: only requirements-image.txt, no privileges, nothing to write to."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.integration.accounting import account
from tests.integration.image import USER, Image, ImageUnavailable, image, isolated
from tests.integration.records import login, logins
from tests.integration.stage import Stage
from tests.integration.test_worker import FAILING, LAKE, OK, stream
from tests.integration.waiting import eventually
from tests.integration.worker import ProbedWorker
from tests.proxy.faults import HeldRequest, is_dynamodb, only, stalled
from tests.proxy.proxy import Proxy

MIB = 2**20
IN_FLIGHT = 16 * MIB
MEMORY = (80 + 4 * 16 + 160) * MIB  # docs/semantics.md: idle, 4 times the bytes in flight, and 160 MiB
DRAIN = 5.0


@pytest.fixture
def environment() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="tandem-image-") as root:  # not pytest's own, which is closed to others
        try:
            environment = image(Path(root))
        except ImageUnavailable as reason:
            pytest.skip(str(reason))
        yield environment


def start(stage: Stage, environment: Image, log: str, **variables: str) -> ProbedWorker:
    limits = {"TANDEM_BYTES_IN_FLIGHT": str(IN_FLIGHT), "TANDEM_DRAIN_SECONDS": str(DRAIN)}
    return ProbedWorker(
        stage.environment | environment.environment | limits | variables,
        stage.folder / log,
        environment.command(MEMORY, "-m", "functions.cli.main", "worker"),
    )


def inside(environment: Image, code: str) -> str:
    ended = subprocess.run(
        environment.command(MEMORY, "-c", code),
        env=environment.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout.strip() or ended.stderr.strip().splitlines()[-1]


def test_it_is_like_the_image(environment: Image) -> None:
    assert inside(environment, "import moto") == "ModuleNotFoundError: No module named 'moto'"
    assert inside(environment, "bytearray(1 << 30)") == "MemoryError"
    if not isolated():
        pytest.skip("needs root, to change the user and to make file systems read-only")
    assert inside(environment, "import os; print(os.geteuid(), os.getgroups())") == f"{USER} []"
    for folder in ("/tmp", "/var/tmp", environment.root):  # noqa: S108 - that no user can write there is the point
        assert "Read-only file system" in inside(environment, f"open('{folder}/file', 'w')")


@pytest.mark.usefixtures("real")
def test_sigterm_under_load_drains_and_nothing_is_lost_or_doubled(stage: Stage, environment: Image) -> None:
    with start(stage, environment, "first.log") as worker, stream(stage):
        stage.settle_some(300, worker)
        worker.terminate()
        assert worker.end() == 0
        assert worker.lines("worker is draining")
    with start(stage, environment, "second.log") as worker:
        stage.settle(worker)
    account(stage.produced, stage.found())


@pytest.mark.usefixtures("real")
def test_a_full_buffer_stays_within_the_memory_that_the_manifests_give(
    stage: Stage, environment: Image, proxy: Proxy
) -> None:
    wide = [login(number, padding="x" * 4096) for number in range(8000)]
    stage.produce(wide, partition=0)  # before the worker starts: its buffer fills long before it detaches the partition
    answer = Event()
    proxy.fault = only(lambda request: not is_dynamodb(request), stalled(answer))
    with start(stage, environment, "full.log", **proxy.environment) as worker:
        eventually(lambda: worker.metric("bytes_in_flight") > IN_FLIGHT / 2, worker.tail)
        eventually(lambda: worker.metric("paused_partitions") == 1, worker.tail)  # its neighbours keep their shares
        answer.set()
        stage.settle(worker)


@pytest.mark.usefixtures("real")
def test_a_store_that_is_away_or_hangs_shows_in_the_probes_as_documented(
    stage: Stage, environment: Image, proxy: Proxy
) -> None:
    stage.produce(logins(100))
    with start(stage, environment, "away.log", **proxy.environment, TANDEM_STALL_SECONDS="6") as worker:
        worker.ready()
        proxy.refuse()
        stage.produce(logins(100, begin=100))
        eventually(lambda: worker.metric("paused_partitions") > 0, worker.tail)
        assert [worker.get(path)[0] for path in ("/healthz", "/readyz")] == [OK, OK], "an outage restarts no worker"
        proxy.accept()
        stage.settle(worker)
        held = proxy.fault = HeldRequest(LAKE)
        stage.produce(logins(100, begin=200))
        eventually(lambda: worker.get("/healthz")[0] == FAILING, worker.tail)
        assert "an attempt has been in the same step" in json.loads(worker.get("/healthz")[1])["why"]
        assert worker.get("/readyz")[0] == OK
        assert worker.end() == 1
    held.release()
    with start(stage, environment, "next.log") as worker:
        stage.settle(worker)
    account(stage.produced, stage.found())
