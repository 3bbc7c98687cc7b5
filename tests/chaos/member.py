"""A worker as a process that can be killed, frozen, thawed and weighed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

# `python -m functions.cli worker`, but that it ends when we do, however that comes about.
COMMAND: Final = (sys.executable, "-m", "functions.local.demo.leash")


class Member:
    """Runs from the moment it is made. Memory is in bytes, as Linux tells it; 0 where it does not."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self.frozen = False
        self.told_to_end = False
        self.began = time.monotonic()
        self.idle = 0  # before the first record, with everything loaded
        self.peak = self.now = self.high = 0
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                COMMAND, env=os.environ | environment, stdin=subprocess.PIPE, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip

    @property
    def exit_code(self) -> int | None:
        """None as long as it runs."""
        return self._process.poll()

    @property
    def up(self) -> bool:
        """Whether it has joined the group."""
        return b'"worker is up"' in self.log.read_bytes()[:4096]

    def kill(self) -> None:
        """SIGKILL, also of a frozen one."""
        self.told_to_end = True
        self._send(signal.SIGKILL)
        self._ended(None)

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self.told_to_end = True
        self._send(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Its exit code; killed, and -9, if it takes longer."""
        try:
            return self._ended(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def freeze(self) -> None:
        """SIGSTOP: it holds its connections and its place in the group, and does nothing."""
        self.frozen = True
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on as if nothing had happened."""
        self._send(signal.SIGCONT)
        self.frozen = False

    def weigh(self) -> None:
        """Note the memory that it takes, and the most it ever took."""
        self.now, self.high = self._memory("VmRSS"), self._memory("VmHWM")
        self.peak = max(self.peak, self.high)
        self.idle = self.idle or (self.now if self.up else 0)

    def begin_to_weigh(self) -> int:
        """What it takes now; from here on `high` is the most since."""
        with suppress(OSError):
            Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")  # resets the high-water mark: man 5 proc
        self.weigh()
        return self.now

    def _memory(self, name: str) -> int:
        with suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith(name):
                    return int(line.split()[1]) * 1024
        return 0

    def said(self, size: int = 3000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-size:]

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _ended(self, seconds: float | None) -> int:
        code = self._process.wait(seconds)
        if self._process.stdin:
            self._process.stdin.close()
        return code
