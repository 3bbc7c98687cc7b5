"""A child process that lives no longer than its parent, on every Unix.

Law: the parent holds a pipe to the child's standard input, and the child ends when the pipe closes, which the kernel
sees to however the parent ends. (PR_SET_PDEATHSIG is Linux's, and fires when the *thread* that started the child ends.)
Run as a program, this module is the guard for commands that do not look at their standard input.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

GUARD = (sys.executable, "-I", "-S", __file__)


class Child:
    """A running command. It has a session of its own, so that ctrl-C reaches its parent alone."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        """Start a command that ends when its standard input does; what it writes is appended to `log`."""
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True
            )  # fmt: skip

    def running(self) -> bool:
        """Whether it still does."""
        return self._process.poll() is None

    def end(self) -> None:
        """Close its input, and wait until it has ended. Idempotent."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def said(self, lines: int = 15) -> str:
        """The end of what it wrote."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


def guard(command: Sequence[str]) -> int:
    """Run the command until it ends, or kill it when standard input does."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_kill_at_end_of_input, args=[child], daemon=True).start()
    return child.wait()


def _kill_at_end_of_input(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    child.kill()


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
