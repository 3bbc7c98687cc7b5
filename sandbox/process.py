"""A child process that ends when its parent does, on every Unix.

Law: the parent holds a pipe to the child, and the child is killed when the pipe closes, which the kernel does however
the parent ends. (PR_SET_PDEATHSIG exists on Linux only, and acts when the *thread* that started the child ends.)

Run as a program, this module forks a watcher that reads the pipe, and then becomes the command: the process ID, its
signals, memory and exit code are the command's own.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

GUARD: Final = (sys.executable, "-I", "-S", __file__)
POLL_SECONDS: Final = 0.02
WATCH_SECONDS: Final = 1.0  # between the watcher's checks whether the command still runs


class Process:
    """A running command; `with` kills it at the end. It has its own session: ctrl-C reaches the parent alone."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        reads_input: bool = False,
    ) -> None:
        """Start the command, and append its output to `log`.

        `environment` replaces the parent's variables; `folder` is the working directory. With `reads_input` the command
        gets the pipe as its standard input, and must end when that does.
        """
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command if reads_input else [*GUARD, *command],
                env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process ID of the command, which is also its process group's."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or minus the signal that ended the command; None while it runs."""
        code = self._process.poll()
        if code is not None:
            self._close_pipe()
        return code

    @property
    def running(self) -> bool:
        """Whether the command runs."""
        return self.exit_code is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command alone, if it still runs."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def terminate(self) -> None:
        """Send SIGTERM, without waiting for the end."""
        self.send(signal.SIGTERM)

    def kill(self) -> bool:
        """Send SIGKILL to the command and its children, and wait for the end; False if it had ended already."""
        running = self.running
        if running:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        return running

    def wait(self, seconds: float | None = None) -> int:
        """Wait for the end, and return the exit code; -9 if the command had to be killed after `seconds`."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        self._close_pipe()
        return code

    def end_input(self) -> None:
        """Close the pipe, as the parent's death would, and wait for the end. Idempotent."""
        self._close_pipe()
        self._process.wait()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until the command is ready: RuntimeError, with the end of its log, if it ends before or is too slow."""
        end = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise RuntimeError(f"{self.log.name} ended with {self.exit_code}:\n{self.tail()}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.log.name} was not ready within {seconds:g} s:\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def tail(self, lines: int = 40) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _close_pipe(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


def guard(command: list[str]) -> None:
    """Become the command, after forking the process that kills it when standard input ends. Does not return."""
    parent = os.getpid()
    if os.fork() == 0:
        _watch(parent)
        os._exit(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.execvp(command[0], command)  # noqa: S606 - no shell is intended


def _watch(parent: int) -> None:
    """Return when the parent has ended, or kill it when standard input does."""
    os.closerange(1, 3)  # a pipe to a reader must end with the command
    while os.getppid() == parent:
        if select.select([0], [], [], WATCH_SECONDS)[0] and not os.read(0, 1024):
            if os.getppid() == parent:
                os.kill(parent, signal.SIGKILL)
            return


if __name__ == "__main__":
    guard(sys.argv[1:])
