"""The settlement protocol in thousands of schedules, in separate processes, because coverage would slow them down."""

import os
import subprocess
import sys
from typing import Final

import pytest

SCHEDULES: Final = os.environ.get("SIMULATION_SCHEDULES", "20000")
EVENTS: Final = (
    "batches given up", "conflicts", "deaths of lethal records", "deploys", "faults", "gaps", "handovers",
    "incomplete writes", "kills", "objects adopted", "objects erased from",
    "records given up on before the ledger began", "refusals", "resumed", "slices narrowed", "slices settled", "stalls",
    "steps taken over", "stops: corrupt", "stops: flood", "stops: offsets-went-back", "topics recreated",
)  # fmt: skip


def simulate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(600)  # about 50 seconds on two cores; a machine may be busy
def test_every_guarantee_holds_in_every_schedule() -> None:
    completed = simulate("--count", SCHEDULES)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    for event in EVENTS:  # a simulation without these events would prove little
        assert f" {event}\n" in completed.stdout, f"no schedule had the event {event!r}:\n{completed.stdout}"


def test_a_seed_replays_exactly() -> None:
    """Neither hashes of strings nor addresses of objects may influence a schedule."""
    first, second = (simulate("--seed", "58", PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first.returncode == 0, first.stdout + first.stderr
    assert len(first.stdout.splitlines()) > 20
    assert first.stdout == second.stdout
