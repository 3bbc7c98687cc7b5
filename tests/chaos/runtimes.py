"""The active runtime: workers, or Lambda behind its mapping. Replaces what ended unexpectedly, as Kubernetes would."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, NamedTuple

from functions.core.backoff import Backoff
from sandbox.event_source.function import LambdaFunction
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.retry_policy import RetryPolicy
from sandbox.event_source.source import EventSource
from tests.chaos.options import ChaosOptions
from tests.chaos.pipeline import LETHAL_EXIT_CODE, RELEASE, RELEASES
from tests.chaos.stack import ChaosStack
from tests.chaos.worker import ChaosWorker


class StallMemory(NamedTuple):
    """A worker while the stores answered nothing: bytes before, and at most."""

    worker: str
    before: int
    peak: int


RuntimeName = Literal["worker", "msk"]
WORKERS: Final = 2
BATCH: Final = 2000  # records
INVOCATION_SECONDS: Final = 15.0
HANDLER: Final = "tests.chaos.lambda_program.handler"
END_SECONDS: Final = 120.0  # beyond the drain time, for a busy machine


class Runtimes:
    """`surprises` lists what ended unexpectedly or with an error; `stalls` the memory of workers in each stall.

    `lethal_ends` counts the workers that a lethal record ended. `release` is that of workers that start; the function
    keeps the first one.
    """

    def __init__(self, stack: ChaosStack, options: ChaosOptions) -> None:
        self.active: RuntimeName = "worker"
        self.workers: list[ChaosWorker] = []
        self.all_workers: list[ChaosWorker] = []  # those that ended included
        self.surprises: list[str] = []
        self.lethal_ends = 0
        self.release, *_ = RELEASES
        self.stalls: list[StallMemory] = []
        stage = self._stage = stack.stage
        self._options = options
        self.source = EventSource(
            EventSourceMapping(
                stage.pipeline.topic,
                stage.group,
                stage.broker.bootstrap,
                self._function(),
                batch_size=BATCH,
                concurrency=2,
                timeout=INVOCATION_SECONDS,
                session_timeout=stage.session_seconds,
                retries=RetryPolicy(backoff=Backoff(initial_seconds=0.2, max_seconds=2.0)),
            )
        )

    def _function(self) -> LambdaFunction:
        function = self._stage.function(self._options.out / "lambda.log")
        return replace(function, handler=HANDLER, variables={**function.variables, RELEASE: self.release})

    def next_release(self) -> str:
        """Let workers that start from now on run the other release, and return its name."""
        self.release = next(name for name in RELEASES if name != self.release)
        return self.release

    def start_workers(self, count: int = 1) -> ChaosWorker:
        """Start workers; return the last of them."""
        for _ in range(count):
            name = f"worker-{len(self.all_workers) + 1}"
            environment = self._stage.environment | {RELEASE: self.release}
            worker = ChaosWorker(name, environment, self._options.out / f"{name}.log")
            self.workers.append(worker)
            self.all_workers.append(worker)
        return self.workers[-1]

    def replace(self, worker: ChaosWorker) -> None:
        """Start a new worker for one that has ended."""
        self.workers.remove(worker)
        self.start_workers()

    def drain(self, *workers: ChaosWorker) -> None:
        """Send SIGTERM to all of them, and wait for their end."""
        for worker in workers:
            self.workers.remove(worker)
            worker.terminate()
        for worker in workers:
            self.await_end(worker)

    def await_end(self, worker: ChaosWorker) -> None:
        """Wait for the end of a worker after SIGTERM; an exit code other than 0 is a surprise."""
        young = not worker.up  # it had no handler for the signal yet
        code = worker.wait(2 * self._options.session + END_SECONDS)
        self.lethal_ends += code == LETHAL_EXIT_CODE
        if code and code != LETHAL_EXIT_CODE and not (young and code == -signal.SIGTERM):
            self.surprises.append(f"{worker.name} ended with {code} after SIGTERM: {worker.tail(2)}")

    def to_msk(self) -> None:
        """Drain the workers, then enable the mapping."""
        self.drain(*self.workers)
        self.active = "msk"
        self.source.start()

    def to_workers(self) -> None:
        """Disable the mapping, which waits for batches in flight, then start workers."""
        self.source.stop()
        self.active = "worker"
        self.start_workers(WORKERS)

    def replace_ended(self) -> None:
        """Replace what has ended unexpectedly."""
        for worker in list(self.workers):
            code = worker.exit_code
            if code == LETHAL_EXIT_CODE:
                self.lethal_ends += 1
            elif code is not None:
                self.surprises.append(f"{worker.name} ended unexpectedly with {code}: {worker.tail(2)}")
            if code is not None:
                self.replace(worker)
        if self.active == "msk" and self.source.error:
            self.surprises.append(f"the mapping ended unexpectedly: {self.source.error!r}")
            try:
                self.source.stop()
            except Exception:  # noqa: BLE001 - the very same error
                self.source.start()

    def stop(self) -> None:
        """Kill everything, in any state."""
        for worker in self.all_workers:
            worker.kill()
        if self.active == "msk":
            self.source.stop(within=0)

    def logs(self) -> list[Path]:
        """Return the logs of the active runtime."""
        if self.active == "worker":
            return [worker.log for worker in self.workers]
        return [self._options.out / "lambda.log"]
