"""The `worker` runtime as a process that can be killed, frozen and drained."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sandbox.process import Process

COMMAND: Final = (sys.executable, "-m", "functions.cli.main", "worker")
UP: Final = b'"worker started"'


class WorkerProcess(Process):
    """Runs from the moment it is created."""

    def __init__(self, environment: Mapping[str, str], log: Path, command: Sequence[str] = COMMAND) -> None:
        """Start it with this process's variables and `environment`; its output is appended to `log`."""
        super().__init__(command, log, os.environ | environment)

    @property
    def up(self) -> bool:
        """Whether a worker that writes to this log has joined its group."""
        return UP in self.log.read_bytes()

    def freeze(self) -> None:
        """Send SIGSTOP: it keeps its connections and its place in the group, and does nothing."""
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Send SIGCONT: it continues as if nothing had happened."""
        self.send(signal.SIGCONT)
