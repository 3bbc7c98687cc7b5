"""One run of an event source, from start to stop: its threads and their connections."""

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread
from typing import NamedTuple

from sandbox.event_source.backlog import Backlog
from sandbox.event_source.delivery import BatchOutcome
from sandbox.event_source.destination import Destination
from sandbox.event_source.environment import Environment
from sandbox.event_source.group import GroupMember
from sandbox.event_source.invoker import BatchInvoker
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.partition_queue import EndedBatch, PartitionQueue
from sandbox.event_source.poller import Poller
from sandbox.event_source.stats import StatsCounter


class BatchProgress(NamedTuple):
    """A batch that has ended: its records, in all and by partition, and the time, in seconds since 1970."""

    records: int
    partitions: dict[int, int]
    ended: float
    given_up: bool


class MappingRun:
    """Starts on construction. `error` is what ended it early, or None."""

    def __init__(
        self,
        mapping: EventSourceMapping,
        destination: Destination | None,
        stats: StatsCounter,
        notify: Callable[[BatchProgress], None],
    ) -> None:
        self.group = GroupMember(mapping)
        self.error: Exception | None = None
        self._stats = stats
        self._notify = notify
        self._stopping = Event()
        ended: SimpleQueue[EndedBatch] = SimpleQueue()
        self.queues = [self._queue(mapping, destination, ended) for _ in range(mapping.concurrency)]
        self._poller = Poller(self.group, self.queues, ended, self._conclude)
        self._thread = Thread(target=self._run, name="poller", daemon=True)
        self._thread.start()

    def stop(self, within: float | None) -> None:
        """Wait for the batches in flight, at most `within` seconds; then kill them. Raises `error`."""
        self._stopping.set()
        self._thread.join(within)
        while self._thread.is_alive():
            for queue in self.queues:
                queue.kill()
            self._thread.join(0.1)
        if self.error:
            raise self.error

    def _run(self) -> None:
        for queue in self.queues:
            queue.start()
        try:
            self._poller.run(self._stopping)
        except Exception as error:  # noqa: BLE001 - `stop` raises it
            self.error = error
        self._stats.count(commit_failures=self.group.commit_failures)
        for queue in self.queues:
            queue.join()

    def _queue(
        self, mapping: EventSourceMapping, destination: Destination | None, ended: SimpleQueue[EndedBatch]
    ) -> PartitionQueue:
        invoker = BatchInvoker(mapping, Environment(mapping.function), destination, self._stopping, self._stats)
        return PartitionQueue(mapping.topic, Backlog(mapping.batch_size, mapping.window), invoker, ended)

    def _conclude(self, batch: EndedBatch) -> None:
        if batch.committable:
            self._stats.count(records=len(batch.batch), batches=1)
            counts = {partition: len(run) for partition, run in batch.batch.runs.items()}
            self._notify(BatchProgress(len(batch.batch), counts, time.time(), batch.ending is BatchOutcome.GIVEN_UP))
