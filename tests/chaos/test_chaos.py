"""A short run on real parts in every test run; `make chaos` is the long one."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.faults import HANDOVER, KINDS
from tests.chaos.schedule import schedule

RECORDS, SEED, IMPOSSIBLE = 30_000, 3, 2
SHORT = (
    "kill worker",
    "freeze worker",
    "stores stall",
    "restart broker",
    "answers cut",
    "lethal record",
    "release",
    "header bomb",
    "table throttled",
    "hand over to msk",
    "kill environment",
    "hand over to worker",
)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A running one; terminated if the test does not wait for its end."""
    only = [word for kind in SHORT for word in ("--only", kind)]
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.chaos", "--records", str(RECORDS), "--faults", str(len(SHORT))),
            *("--seed", str(SEED), "--session", "1.5", "--out", str(tmp_path), *only),
        ],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        yield process
        process.send_signal(signal.SIGTERM)


@pytest.mark.timeout(1200)
@pytest.mark.flaky(reruns=1)  # docs/decisions/0020
def test_a_short_run_loses_and_doubles_nothing(chaos: "subprocess.Popen[str]", tmp_path: Path) -> None:
    output, _ = chaos.communicate(timeout=1100)
    if chaos.returncode == IMPOSSIBLE:
        pytest.skip(output.splitlines()[-1])
    assert chaos.returncode == 0, output[-8000:]
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["records"], report["lost"], report["doubled"], report["wrong"]) == (RECORDS, 0, 0, 0)
    assert set(report["fault_kinds"]) == set(SHORT)
    assert report["surprises"] == []
    assert report["too_heavy"] == []
    assert report["too_still"] == []


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_comes_before_any_is_repeated(seed: int) -> None:
    flips = {kind.name for kind in HANDOVER.values()}
    planned = [kind.name for kind in schedule(seed, 3 * len(KINDS))]
    assert planned == [kind.name for kind in schedule(seed, 3 * len(KINDS))]
    assert set(planned) == set(KINDS)
    seen: list[str] = []
    for name in planned:
        if name in seen and name not in flips:
            assert set(KINDS) <= set(seen) | flips
            break
        seen.append(name)


@pytest.mark.parametrize("seed", range(20))
def test_the_runtime_that_a_fault_needs_is_active(seed: int) -> None:
    active = "worker"
    for kind in schedule(seed, 60):
        assert kind.runtime in {None, active}
        active = kind.then or active
