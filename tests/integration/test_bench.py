"""`tandem bench`: what it prints, not how fast anything is."""

import json
import subprocess
import sys


def test_the_benchmark_measures_all_it_tells() -> None:
    command = [sys.executable, "-m", "functions.cli", "bench", "--records", "2000", "--rounds", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["records"] == 2000
    assert told["ratio"] > 0
    assert told["handler_cpu_ms_per_1000_records"] > 0
    assert all(value > 0 for value in told["microseconds_a_record"].values())
