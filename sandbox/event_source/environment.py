"""One Lambda execution environment: AWS's runtime client in a child process, with its own runtime API.

Follows AWS, "Understanding the Lambda execution environment lifecycle": init at first use, then reused warm; handler
errors keep it, a timeout or a crash ends it and the next invocation gets a new one. The function timeout starts when
init is over.

Chosen here: init beyond its 10 s continues within the function timeout, where Lambda restarts it; there are
no memory limit, no throttled CPU and no freezing between invocations; /tmp is the machine's.
"""

import os
import sys
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

from sandbox.event_source.function import LambdaFunction
from sandbox.event_source.outcome import Crashed, InvocationOutcome, TimedOut
from sandbox.event_source.runtime_api import Invocation, RuntimeApi
from sandbox.process import Process

INIT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05  # between checks whether the child is alive


class Environment:
    """Use it from one thread; only `kill` may be called from others."""

    def __init__(self, function: LambdaFunction) -> None:
        self._function = function
        self._child: _Child | None = None
        self._busy = False
        self.started = 0  # children so far

    def invoke(self, event: bytes, timeout: float) -> InvocationOutcome:
        """Run the handler on the event's JSON, for at most `timeout` seconds (plus init)."""
        if self._child is None or not self._child.process.running:
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
        """Kill the child if it has an invocation in flight; False if it has none."""
        child = self._child
        return self._busy and child is not None and child.kill()

    def close(self) -> None:
        """Kill the child and close its runtime API; the next invocation starts new ones."""
        if self._child is not None:
            self._child.close()
            self._child = None


class _Child:
    def __init__(self, function: LambdaFunction) -> None:
        self.function = function
        self.api = RuntimeApi()
        self.process = _start(function, self.api.address)

    def run(self, event: bytes, timeout: float) -> InvocationOutcome:
        self._await_init()
        self.api.hand_over(self._invocation(event, timeout))
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            if outcome := self.api.outcome(min(left, POLL_SECONDS)):
                return outcome
            if (code := self.process.exit_code) is not None:
                return self.api.outcome(0.0) or Crashed(code)
        return TimedOut(timeout)

    def _await_init(self) -> None:
        end = time.monotonic() + INIT_SECONDS
        while not self.api.ready.wait(POLL_SECONDS) and self.process.running and time.monotonic() < end:
            pass

    def _invocation(self, event: bytes, timeout: float) -> Invocation:
        now = time.time()
        trace = f"Root=1-{int(now):08x}-{uuid4().hex[:24]};Parent={uuid4().hex[:16]};Sampled=0"
        return Invocation(str(uuid4()), event, int((now + timeout) * 1000), self.function.arn, trace)

    def kill(self) -> bool:
        return self.process.kill()

    def close(self) -> None:
        self.kill()
        self.api.close()


def _start(function: LambdaFunction, runtime_api: str) -> Process:
    command = [sys.executable, "-m", "awslambdaric", function.handler]
    log = Path(function.log or os.devnull)
    return Process(command, log, function.environ(runtime_api), folder=function.task_root)
