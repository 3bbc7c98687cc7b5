"""What every measured program does: it takes one JSON object as its argument and prints one as its last line.

It imports nothing but the standard library, so that a program in another environment can use it.
"""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any, Final

STATUS: Final = Path("/proc/self/status")


def given() -> dict[str, Any]:
    """Return the program's argument."""
    arguments: dict[str, Any] = json.loads(sys.argv[1])
    return arguments


def peak_mib(status: Path = STATUS) -> float | None:
    """Return the greatest resident memory of a process so far; None where the system does not say."""
    if not status.exists():
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(found[1]) / 1024 if found else None


class Meter:
    """Measures the process from `begin` on; `end` prints the result."""

    def __init__(self) -> None:
        self.began = False
        self._cpu = self._wall = 0.0

    def begin(self) -> None:
        """Start both clocks."""
        self.began = True
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def end(self, records: int) -> None:
        """Print records, seconds, CPU seconds of all threads, and the peak memory in MiB."""
        cpu, seconds = time.process_time() - self._cpu, time.perf_counter() - self._wall
        report(records, seconds, cpu)


def report(records: int, seconds: float, cpu: float) -> None:
    """Print a result as the program's last line."""
    result = {"records": records, "seconds": seconds, "cpu": cpu, "peak_mib": peak_mib()}
    sys.stdout.write("\n" + json.dumps(result) + "\n")
    sys.stdout.flush()
