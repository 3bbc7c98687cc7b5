"""Monitoring a run in a thread: the positions, the longest stall, the memory of workers."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from functions.core import names
from sandbox.demo.read_back import settled
from tests.chaos.load import Load
from tests.chaos.runtimes import Runtimes
from tests.chaos.stack import ChaosStack

SAMPLE_SECONDS: Final = 0.25
REPORT_SECONDS: Final = 5.0
STUCK_SECONDS: Final = 300.0


class Stuck(Exception):  # noqa: N818 - named as other errors are
    """The run cannot end; the message has its status."""


class ChaosMonitor:
    """`longest_stall`: seconds without a settled record while there was lag, and when it began.

    `excused`: partitions that the present fault concerns, which need not progress.
    """

    def __init__(self, stack: ChaosStack, load: Load, runtimes: Runtimes, say: Callable[[str], None]) -> None:
        self.positions: dict[int, int] = {}
        self.longest_stall = 0.0
        self.stalled_at = 0.0
        self.excused: set[int] = set()
        self.error: Exception | None = None
        self._pipeline = stack.stage.pipeline.name
        self._ledger = stack.stage.dynamodb.Table(names.ledger_table(stack.stage.name))
        self._load, self._runtimes, self._say = load, runtimes, say
        self._began = self._moved = self._reported = time.monotonic()
        self._moved_at: dict[int, float] = {}  # when each partition last progressed, or had nothing to settle
        self._still: dict[int, float] = {}  # seconds without progress, at most, since `begin_fault`
        self._ended: float | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    @property
    def now(self) -> float:
        """Seconds since the beginning, until `stop`."""
        return (self._ended or time.monotonic()) - self._began

    @property
    def settled(self) -> int:
        """The sum of the settled offsets of all partitions."""
        return sum(self.positions.values())

    def begin_fault(self) -> None:
        """Measure from now on for how long partitions are still."""
        self.excused = set()
        self._moved_at, self._still = {}, {}

    @property
    def longest_still(self) -> float:
        """The longest time that a partition did not progress since `begin_fault`, but for the excused ones."""
        still = dict(self._still)
        return max((seconds for partition, seconds in still.items() if partition not in self.excused), default=0.0)

    def stop(self) -> None:
        """Stop the thread and the clock. Idempotent."""
        self._ended = self._ended or time.monotonic()
        self._stopping.set()
        self._thread.join()

    def check(self) -> None:
        """Raise Stuck if the run cannot continue."""
        for what, error in (("producing", self._load.error), ("watching", self.error)):
            if error is not None:
                raise Stuck(f"{what} failed: {error!r}")
        if time.monotonic() - self._moved > STUCK_SECONDS:
            logs = "\n".join(
                f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self._runtimes.logs()
            )
            raise Stuck(f"nothing settled for {STUCK_SECONDS:.0f} s: {self.status()}\n{logs}")

    def status(self) -> str:
        """Return the status in one line."""
        load = self._load
        counts = f"{load.acknowledged:,} produced, {self.settled:,} settled, lag {load.lag:,}"
        return f"{counts}, {self._runtimes.active} active"

    def _run(self) -> None:
        try:
            while not self._stopping.wait(SAMPLE_SECONDS):
                self._sample()
        except Exception as error:  # noqa: BLE001 - `check` raises it
            self.error = error

    def _sample(self) -> None:
        waiting, before, positions = self._load.lag > 0, self.settled, self.positions
        self.positions = settled(self._ledger, self._pipeline)
        self._sample_partitions(positions, time.monotonic())
        self._load.settled = self.settled
        now = time.monotonic()
        if self.settled > before or not waiting:
            self._moved = now
        elif now - self._moved > self.longest_stall:
            self.longest_stall, self.stalled_at = now - self._moved, self._moved - self._began
        for worker in self._runtimes.all_workers:
            if worker.exit_code is None:
                worker.measure()
        if now - self._reported > REPORT_SECONDS:
            self._reported = now
            self._say(self.status())

    def _sample_partitions(self, before: dict[int, int], now: float) -> None:
        moved_at, still = self._moved_at, self._still  # `begin_fault` may replace them
        for partition, end in list(self._load.ends.items()):
            position = self.positions.get(partition, 0)
            if position >= end or position > before.get(partition, 0):
                moved_at[partition] = now
            seconds = now - moved_at.setdefault(partition, now)
            still[partition] = max(seconds, still.get(partition, 0.0))
