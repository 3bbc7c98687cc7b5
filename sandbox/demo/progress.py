"""Sampling a run: the ledger, the production and the runtimes, a few times a second, until a condition holds."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.core.errors import TandemError
from sandbox.demo.produce import Production
from sandbox.demo.read_back import settled
from sandbox.demo.report import Moment, MomentKind, ProgressSample
from sandbox.demo.view import ConsoleView

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

SAMPLE_SECONDS: Final = 0.25
STUCK_SECONDS: Final = 180.0
LOG_LINES: Final = 12
LOG_WIDTH: Final = 400
METRICS: Final = '{"_aws":'  # Lambda's metrics, which add nothing to the other lines of a log


class StoryError(TandemError):
    """The run cannot come to its end. The message gives the positions."""


@dataclass
class ProgressMonitor:
    """Times are seconds since `begin`. `problem` returns what is wrong with the active runtime, or None."""

    ledger: "Table"
    pipeline: str
    production: Production
    view: ConsoleView
    logs: tuple[Path, ...]
    problem: Callable[[], str | None] = lambda: None
    samples: list[ProgressSample] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    _began: float = 0.0
    _moved: float = 0.0

    def begin(self) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    @property
    def now(self) -> float:
        """Seconds since `begin`."""
        return time.monotonic() - self._began

    @property
    def count(self) -> int:
        """The number of records in the whole run."""
        return self.production.pace.count

    @property
    def settled(self) -> int:
        """The number of records settled, as of the last sample."""
        return self.samples[-1].settled if self.samples else 0

    def mark(self, kind: MomentKind) -> None:
        """Record that this happens now."""
        self.moments.append(Moment(self.now, kind))

    def until(self, done: Callable[[], bool]) -> None:
        """Take samples until it is done; StoryError if a runtime or the production fails, or nothing advances."""
        self.sample()
        while not done():
            self._check()
            time.sleep(SAMPLE_SECONDS)
            self.sample()

    def during(self, work: Callable[[], object]) -> None:
        """Take samples until `work`, in another thread, has returned; raises what it raises."""
        with ThreadPoolExecutor(1) as thread:
            working = thread.submit(work)
            self.until(working.done)
            working.result()

    def sample(self) -> ProgressSample:
        """Take a sample, and show it."""
        self.production.settled = settled(self.ledger, self.pipeline)
        produced, total = len(self.production.places), sum(self.production.settled.values())
        sample = ProgressSample(self.now, produced, total)
        if not self.samples or sample[1:] != self.samples[-1][1:]:
            self._moved = sample.seconds
        self.samples.append(sample)
        self.view.numbers(sample.produced, sample.settled, self.count)
        return sample

    def failure(self, message: str) -> StoryError:
        """Show the ends of the logs, and return an error with the position of each partition."""
        positions = sorted(self.production.settled.items())
        listed = ", ".join(f"{partition} at {offset}" for partition, offset in positions) or "nothing yet"
        status = f"{len(self.production.places):,} of {self.count:,} produced; next to settle: {listed}"
        for log in self.logs:
            self.view.note(f"end of {log}:")
            for line in tail(log):
                self.view.note(line)
        return StoryError(f"{message}: {status}")

    def _check(self) -> None:
        if self.production.error:
            raise self.failure(f"producing failed: {self.production.error}")
        if problem := self.problem():
            raise self.failure(problem)
        if self.now - self._moved > STUCK_SECONDS:
            raise self.failure(f"nothing was produced or settled for {STUCK_SECONDS:.0f} s")


def tail(log: Path) -> list[str]:
    """Return the last lines of a log, each cut to a readable width."""
    if not log.exists():
        return ["  (empty)"]
    lines = [line for line in log.read_text(errors="replace").splitlines() if METRICS not in line]
    return [f"  {line[:LOG_WIDTH]}" for line in lines[-LOG_LINES:]] or ["  (empty)"]
