"""One run of an event source, from start to stop: its threads, and what ties them together."""

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread
from typing import NamedTuple

from functions.local.event_source.backlog import Backlog
from functions.local.event_source.delivery import Ending
from functions.local.event_source.destination import Destination
from functions.local.event_source.environment import Environment
from functions.local.event_source.group import Group
from functions.local.event_source.invoker import Invoker
from functions.local.event_source.lane import Ended, Lane
from functions.local.event_source.mapping import Mapping
from functions.local.event_source.poller import Poller
from functions.local.event_source.stats import Tally


class Progress(NamedTuple):
    """A batch that has ended: how many records, by partition too, and when (seconds since 1970)."""

    records: int
    partitions: dict[int, int]
    ended: float
    given_up: bool


class Run:
    """Starts when made. `error` is what ended it before its time, if anything did."""

    def __init__(
        self, mapping: Mapping, destination: Destination | None, tally: Tally, tell: Callable[[Progress], None]
    ) -> None:
        self.group = Group(mapping)
        self.error: Exception | None = None
        self._tally = tally
        self._tell = tell
        self._stopping = Event()
        ended: SimpleQueue[Ended] = SimpleQueue()
        self.lanes = [self._lane(mapping, destination, ended) for _ in range(mapping.concurrency)]
        self._poller = Poller(self.group, self.lanes, ended, self._conclude)
        self._thread = Thread(target=self._run, name="poller", daemon=True)
        self._thread.start()

    def stop(self, within: float | None) -> None:
        """Wait for the batches in flight, at most `within` seconds; then kill them. Raises `error`."""
        self._stopping.set()
        self._thread.join(within)
        while self._thread.is_alive():
            for lane in self.lanes:
                lane.kill()
            self._thread.join(0.1)
        if self.error:
            raise self.error

    def _run(self) -> None:
        for lane in self.lanes:
            lane.start()
        try:
            self._poller.run(self._stopping)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            self.error = error
        self._tally.count(commit_failures=self.group.commit_failures)
        for lane in self.lanes:
            lane.join()

    def _lane(self, mapping: Mapping, destination: Destination | None, ended: SimpleQueue[Ended]) -> Lane:
        invoker = Invoker(mapping, Environment(mapping.function), destination, self._stopping, self._tally)
        return Lane(mapping.topic, Backlog(mapping.batch_size, mapping.window), invoker, ended)

    def _conclude(self, one: Ended) -> None:
        if one.committable:
            self._tally.count(records=len(one.batch), batches=1)
            counts = {partition: len(run) for partition, run in one.batch.runs.items()}
            self._tell(Progress(len(one.batch), counts, time.time(), one.ending is Ending.GIVEN_UP))
