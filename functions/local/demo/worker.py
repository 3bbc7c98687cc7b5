"""The worker as a process: started, killed, started again, ended in good order."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

LINES: Final = 12  # of a log, for a failure's message
WIDTH: Final = 400
METRICS: Final = '{"_aws":'  # of Lambda's logs: they say nothing here that the other lines do not


class WorkerProcess:
    """One worker at a time; `log` collects what all of them write."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = os.environ | environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """A new one, in a session of its own: ctrl-C is for the demo, which ends it."""
        command = [sys.executable, "-m", "functions.local.demo.leash"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def exit_code(self) -> int | None:
        """None as long as it runs, or if none was started."""
        return self._process.poll() if self._process else None

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        self._end(signal.SIGKILL, None)

    def terminate(self, seconds: float) -> int:
        """SIGTERM; the exit code, or minus 9 if it had to be killed after `seconds`."""
        try:
            return self._end(signal.SIGTERM, seconds)
        except subprocess.TimeoutExpired:
            return self._end(signal.SIGKILL, None)

    def _end(self, number: signal.Signals, seconds: float | None) -> int:
        process = self._process
        if process is None:
            return 0
        process.send_signal(number)
        code = process.wait(seconds)
        if process.stdin:
            process.stdin.close()
        return code


def tail(log: Path) -> str:
    """The last lines of a log, each cut to a width that can be read."""
    if not log.exists():
        return "  (nothing)"
    lines = [line for line in log.read_text(errors="replace").splitlines() if METRICS not in line]
    return "\n".join(f"  {line[:WIDTH]}" for line in lines[-LINES:]) or "  (nothing)"
