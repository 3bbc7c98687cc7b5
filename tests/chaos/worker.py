"""A worker process whose memory is measured."""

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from sandbox.worker import WorkerProcess

COMMAND: Final = (sys.executable, "-m", "tests.chaos.worker_program", "worker")


class ChaosWorker(WorkerProcess):
    """Memory is in bytes, as Linux reports it; 0 on other systems."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(environment, log, COMMAND)
        self.name = name
        self.began = time.monotonic()
        self.idle = 0  # before the first record, with everything loaded
        self.peak = self.current = self.high = 0

    def measure(self) -> None:
        """Record its present memory, and the highest since `start_measuring`."""
        self.current, self.high = self._memory("VmRSS"), self._memory("VmHWM")
        self.peak = max(self.peak, self.high)
        self.idle = self.idle or (self.current if self.up else 0)

    def start_measuring(self) -> int:
        """Reset `high`; return the present memory."""
        with suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # resets the high-water mark: man 5 proc
        self.measure()
        return self.current

    def _memory(self, name: str) -> int:
        with suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith(name):
                    return int(line.split()[1]) * 1024
        return 0
