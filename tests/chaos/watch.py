"""Watching a run from a thread of its own: how far settling is, how long nothing was settled, how heavy workers are."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from functions.core import names
from functions.local.demo.ledger import settled
from tests.chaos.crew import Crew
from tests.chaos.ground import Ground
from tests.chaos.load import Load

TICK: Final = 0.25
TOLD_SECONDS: Final = 5.0
STUCK_SECONDS: Final = 180.0


class Stuck(Exception):  # noqa: N818 - it says what is the case
    """The run cannot come to its end; the message says where things stand."""


class Watch:
    """`longest_stall`: seconds without a settled record while there was lag, and when it began."""

    def __init__(self, ground: Ground, load: Load, crew: Crew, say: Callable[[str], None]) -> None:
        self.positions: dict[int, int] = {}
        self.longest_stall = 0.0
        self.stalled_at = 0.0
        self.error: Exception | None = None
        self._pipeline = ground.stage.pipeline.name
        self._ledger = ground.stage.dynamodb.Table(names.ledger_table(ground.stage.name))
        self._load, self._crew, self._say = load, crew, say
        self._began = self._moved = self._told = time.monotonic()
        self._ended: float | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    @property
    def now(self) -> float:
        """Seconds since the beginning, until it was stopped."""
        return (self._ended or time.monotonic()) - self._began

    @property
    def settled(self) -> int:
        """Offsets, over all partitions."""
        return sum(self.positions.values())

    def stop(self) -> None:
        """Idempotent."""
        self._ended = self._ended or time.monotonic()
        self._stopping.set()
        self._thread.join()

    def check(self) -> None:
        """Raise Stuck if there is no point in waiting on."""
        for what, error in (("producing", self._load.error), ("watching", self.error)):
            if error is not None:
                raise Stuck(f"{what} failed: {error!r}")
        if time.monotonic() - self._moved > STUCK_SECONDS:
            logs = "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self._crew.logs())
            raise Stuck(f"nothing settled for {STUCK_SECONDS:.0f} s: {self.where()}\n{logs}")

    def where(self) -> str:
        """In one line."""
        load = self._load
        return f"{load.acknowledged:,} produced, {self.settled:,} settled, lag {load.lag:,}, {self._crew.duty} on duty"

    def _run(self) -> None:
        try:
            while not self._stopping.wait(TICK):
                self._look()
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            self.error = error

    def _look(self) -> None:
        waiting, before = self._load.lag > 0, self.settled
        self.positions = settled(self._ledger, self._pipeline)
        self._load.settled = self.settled
        now = time.monotonic()
        if self.settled > before or not waiting:
            self._moved = now
        elif now - self._moved > self.longest_stall:
            self.longest_stall, self.stalled_at = now - self._moved, self._moved - self._began
        for member in self._crew.everyone:
            if member.exit_code is None:
                member.weigh()
        if now - self._told > TOLD_SECONDS:
            self._told = now
            self._say(self.where())
