"""Watching a run: a few looks a second at the ledger, the production and the runtimes, until something is the case."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.core.errors import TandemError
from functions.local.demo.ledger import settled
from functions.local.demo.produce import Production
from functions.local.demo.timeline import Mark, Sample, What
from functions.local.demo.view import View
from functions.local.demo.worker import tail

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

TICK: Final = 0.25  # seconds between looks
PATIENCE: Final = 60.0  # seconds without progress


class StoryError(TandemError):
    """The run cannot come to its end. The message says where things stand, and what the runtimes wrote last."""


@dataclass
class Watch:
    """Times are seconds since `begin`. `healthy` returns what is wrong with the runtime on duty, or None."""

    ledger: "Table"
    pipeline: str
    production: Production
    view: View
    logs: tuple[Path, ...]
    healthy: Callable[[], str | None] = lambda: None
    samples: list[Sample] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    _began: float = 0.0
    _moved: float = 0.0

    def begin(self) -> None:
        """Time runs from here."""
        self._began = time.monotonic()

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def count(self) -> int:
        """Records in all."""
        return self.production.pace.count

    @property
    def settled(self) -> int:
        """Records settled at the last look."""
        return self.samples[-1].settled if self.samples else 0

    def mark(self, what: What) -> None:
        """Note the moment."""
        self.marks.append(Mark(self.now, what))

    def until(self, done: Callable[[], bool]) -> None:
        """Look until it is done; StoryError if a runtime or the production is broken, or nothing moves."""
        self.look()
        while not done():
            self._check()
            time.sleep(TICK)
            self.look()

    def during(self, work: Callable[[], object]) -> None:
        """Look until `work` has returned; raises what it raises."""
        with ThreadPoolExecutor(1) as thread:
            working = thread.submit(work)
            self.until(working.done)
            working.result()

    def look(self) -> Sample:
        """Take a sample, and show it."""
        self.production.settled = settled(self.ledger, self.pipeline)
        sample = Sample(self.now, len(self.production.places), sum(self.production.settled.values()))
        if not self.samples or sample[1:] != self.samples[-1][1:]:
            self._moved = sample.at
        self.samples.append(sample)
        self.view.numbers(sample.produced, sample.settled, self.count)
        return sample

    def _check(self) -> None:
        if self.production.error:
            raise self.failure(f"producing failed: {self.production.error}")
        if problem := self.healthy():
            raise self.failure(problem)
        if self.now - self._moved > PATIENCE:
            raise self.failure(f"nothing was produced or settled for {PATIENCE:.0f} s")

    def failure(self, what: str) -> StoryError:
        """With where each partition stands and the ends of the logs."""
        stands = ", ".join(f"{partition} at {after}" for partition, after in sorted(self.production.settled.items()))
        where = f"{len(self.production.places):,} of {self.count:,} produced; next to settle: {stands or 'nothing yet'}"
        return StoryError("\n".join((what, where, *(f"{log}, its end:\n{tail(log)}" for log in self.logs))))
