"""The simulation finds planted flaws, each within a bounded number of seeds."""

import re
from typing import Final

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.test_simulation import simulate

SEEDS: Final = "500"
FINDINGS: Final = {"Violation", "Escaped", "Refused", "RuntimeError"}  # another error may be the flaw's own


@pytest.mark.parametrize("flaw", MUTATIONS)
def test_a_flaw_is_found_and_its_seed_replays(flaw: str) -> None:
    completed = simulate("--mutation", flaw, "--count", SEEDS, "--processes", "1")
    assert completed.returncode == 1, completed.stdout + completed.stderr
    first = re.search(r"^seed (\d+): (\w+)", completed.stdout, re.MULTILINE)
    assert first is not None, completed.stdout + completed.stderr
    assert first[2] in FINDINGS, completed.stdout
    replayed = simulate("--mutation", flaw, "--seed", first[1])
    assert replayed.returncode == 1
    assert replayed.stdout.splitlines()[-1].startswith(first[0])
