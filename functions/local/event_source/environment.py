"""One Lambda execution environment: AWS's runtime client in a child process, behind a runtime API of its own.

Follows AWS, "Understanding the Lambda execution environment lifecycle": init at first use, then reused warm; handler
errors keep it, a timeout or a crash ends it and the next invocation gets a new one. The function timeout starts when
init is over.

Chosen here: init beyond its 10 s is not restarted, as Lambda does, but goes on within the function timeout; there are
no memory limit, no throttled CPU and no freezing between invocations; /tmp is the machine's.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from functions.local.event_source import launch
from functions.local.event_source.function import Function
from functions.local.event_source.outcome import Crashed, Outcome, TimedOut
from functions.local.event_source.runtime_api import Invocation, RuntimeApi

INIT_SECONDS: Final = 10.0
GLANCE: Final = 0.05  # seconds between looks whether the child is still alive


class Environment:
    """Use it from one thread, and close it there: on Linux the child dies with the thread that started it.

    Only `kill` may come from elsewhere.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self._child: _Child | None = None
        self._busy = False
        self.started = 0  # children so far

    def invoke(self, event: bytes, timeout: float) -> Outcome:
        """Run the handler on the event's JSON, for at most `timeout` seconds (plus init)."""
        if self._child is None or self._child.process.poll() is not None:
            self.close()
            self._child = _Child(self._function)
            self.started += 1
        self._busy = True
        outcome = self._child.run(event, timeout)
        self._busy = False
        if isinstance(outcome, TimedOut | Crashed) or not self._child.api.ready.is_set():
            self.close()
        return outcome

    def kill(self) -> bool:
        """SIGKILL the child if it has an invocation in flight; False if it has none."""
        child = self._child
        return self._busy and child is not None and child.kill()

    def close(self) -> None:
        """End the child and its runtime API; the next invocation starts new ones."""
        if self._child is not None:
            self._child.close()
            self._child = None


class _Child:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.api = RuntimeApi()
        self.process = _start(function, self.api.address)

    def run(self, event: bytes, timeout: float) -> Outcome:
        self._await_init()
        self.api.hand_over(self._invocation(event, timeout))
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            if outcome := self.api.outcome(min(left, GLANCE)):
                return outcome
            if (code := self.process.poll()) is not None:
                return self.api.outcome(0.0) or Crashed(code)
        return TimedOut(timeout)

    def _await_init(self) -> None:
        end = time.monotonic() + INIT_SECONDS
        while not self.api.ready.wait(GLANCE) and self.process.poll() is None and time.monotonic() < end:
            pass

    def _invocation(self, event: bytes, timeout: float) -> Invocation:
        now = time.time()
        trace = f"Root=1-{int(now):08x}-{uuid4().hex[:24]};Parent={uuid4().hex[:16]};Sampled=0"
        return Invocation(str(uuid4()), event, int((now + timeout) * 1000), self.function.arn, trace)

    def kill(self) -> bool:
        if self.process.poll() is not None:
            return False
        with suppress(ProcessLookupError):  # it ended just now
            os.killpg(self.process.pid, signal.SIGKILL)  # with the handler's own children
        return True

    def close(self) -> None:
        self.kill()
        self.process.wait()
        self.api.close()


def _start(function: Function, runtime_api: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", launch.__file__, function.handler]
    with Path(function.log or os.devnull).open("ab") as log:
        # A process group of its own, so that Ctrl-C reaches only the simulator, which then ends it.
        return subprocess.Popen(
            command, env=function.environ(runtime_api), cwd=function.task_root, process_group=0,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
