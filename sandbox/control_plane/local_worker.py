"""A worker that can be started and stopped again and again."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from sandbox.worker import WorkerProcess

DRAIN_SECONDS: Final = 60.0  # then it is killed, as Kubernetes does after the grace period


class LocalWorker(AbstractContextManager["LocalWorker"]):
    """A worker process with the variables of its stage; its output is appended to `log`. `with` kills it at the end."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment, self._log = environment, log
        self._process: WorkerProcess | None = None

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.running

    def start(self) -> None:
        """Start the process. Does nothing if it runs."""
        if not self.running:
            self._process = WorkerProcess(self._environment, self._log)

    def stop(self) -> None:
        """Drain and end it, or kill it after DRAIN_SECONDS."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(DRAIN_SECONDS)

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
