"""The worker as Kubernetes sees it: a process, its exit code, its log, its probes."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Self

from tests.integration.waiting import eventually

COMMAND: Final = (sys.executable, "-m", "functions.cli", "worker")


class WorkerProcess(AbstractContextManager["WorkerProcess"]):
    """Runs from the moment it is made; killed at the end of `with` if it still runs."""

    def __init__(self, environment: Mapping[str, str], log: Path, command: Sequence[str] = COMMAND) -> None:
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                env=os.environ | environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """SIGTERM, without waiting for anything."""
        self._process.send_signal(signal.SIGTERM)

    def exit_code(self, within: float = 30) -> int:
        """Wait for its end."""
        eventually(lambda: self._process.poll() is not None, self.said, within)
        return int(self._process.returncode)

    @property
    def running(self) -> bool:
        """Whether it still does."""
        return self._process.poll() is None

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-4000:]

    def lines(self, message: str) -> list[dict[str, Any]]:
        """The log lines with this message."""
        told = (json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{"))
        return [line for line in told if line["message"] == message]

    def ready(self) -> Self:
        """Wait until /readyz says so."""
        eventually(lambda: self.get("/readyz")[0] == 200, self.said)
        return self

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; status 0 while nothing listens. TimeoutError after 2 s."""
        assert self.running, self.said()
        up = self.lines("worker is up")
        if not up:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{up[0]['http_port']}{path}", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        """The sum of a metric over its other labels; 0 where there is none."""
        found = re.findall(rf"^tandem_{name}\{{.*\}} (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return sum(map(float, found))
