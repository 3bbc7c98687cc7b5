"""The simulation finds flaws: each is put in on purpose, and must be found within a bounded number of seeds."""

import re
from typing import Final

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.test_simulation import simulate

SEEDS: Final = "2000"


@pytest.mark.parametrize("flaw", MUTATIONS)
def test_a_flaw_is_found_and_its_seed_replays(flaw: str) -> None:
    ran = simulate("--mutation", flaw, "--count", SEEDS, "--processes", "1")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    first = re.search(r"^seed (\d+): (\w+)", ran.stdout, re.MULTILINE)
    assert first is not None, ran.stdout + ran.stderr
    replayed = simulate("--mutation", flaw, "--seed", first[1])
    assert replayed.returncode == 1
    assert replayed.stdout.splitlines()[-1].startswith(first[0])
