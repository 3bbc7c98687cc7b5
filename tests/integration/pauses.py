"""How long partitions pause while they have records to settle, which is the cost of a restart."""

import time
from contextlib import AbstractContextManager
from threading import Event, Thread
from typing import Final, Self

from tests.integration.stage import Stage

SAMPLE_SECONDS: Final = 0.05  # between samples, and about the error of a figure


class Pauses(AbstractContextManager["Pauses"]):
    """Samples the ledger and the produced records in a thread; `longest` is in seconds, by partition."""

    def __init__(self, stage: Stage) -> None:
        self.longest: dict[int, float] = {}
        self._stage = stage
        self._next: dict[int, int] = {}
        self._since: dict[int, float] = {}  # when a partition last advanced or had nothing to do
        self._ended = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            ends, settled, now = self._stage.ends(), self._stage.settled(), time.monotonic()
            for partition, end in ends.items():
                self._sample(partition, settled.get(partition, 0), end, now)

    def _sample(self, partition: int, settled: int, end: int, now: float) -> None:
        since = self._since.setdefault(partition, now)
        self.longest[partition] = max(self.longest.get(partition, 0.0), now - since)
        if settled >= end or settled > self._next.get(partition, 0):
            self._since[partition] = now
        self._next[partition] = settled
