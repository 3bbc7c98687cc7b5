"""The settlement protocol through many thousand schedules, in processes of their own: coverage would slow them down."""

import os
import subprocess
import sys
from typing import Final

import pytest

SCHEDULES: Final = os.environ.get("SIMULATION_SCHEDULES", "20000")
EVENTS: Final = (
    "batches given up", "conflicts", "faults", "gaps", "handovers", "kills", "objects adopted", "slices settled",
    "stalls", "steps taken over", "stops",
)  # fmt: skip


def simulate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(600)  # about 20 seconds on two cores; a machine may be busy
def test_every_promise_holds_in_every_schedule() -> None:
    ran = simulate("--count", SCHEDULES)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for event in EVENTS:  # a simulation in which these never happen would prove little
        assert f" {event}\n" in ran.stdout, f"no schedule had any {event}:\n{ran.stdout}"


def test_a_seed_replays_exactly() -> None:
    """Neither hashes of text nor addresses of objects may have a say."""
    one, other = (simulate("--seed", "58", PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert one.returncode == 0, one.stdout + one.stderr
    assert len(one.stdout.splitlines()) > 20
    assert one.stdout == other.stdout
