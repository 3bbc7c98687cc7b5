"""A queue for some of the topic's partitions: one environment, one batch at a time.

Follows AWS, "Configuring Amazon MSK event sources for Lambda": partitions are read sequentially, a payload may mix
them. AWS spreads partitions over event pollers with concurrent invocations; how is undocumented. Chosen here: a
partition always belongs to the same queue, so two batches of it never run in parallel.
"""

from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue, SimpleQueue
from threading import Thread
from typing import Final

from sandbox.event_source.backlog import Backlog
from sandbox.event_source.delivery import BatchOutcome
from sandbox.event_source.event import RecordBatch, batch_of
from sandbox.event_source.invoker import BatchInvoker

POLL_SECONDS: Final = 0.1  # between checks whether to stop


@dataclass(frozen=True, slots=True)
class EndedBatch:
    """A batch and its outcome; `error` is an unexpected exception."""

    batch: RecordBatch
    ending: BatchOutcome
    error: Exception | None = None

    @property
    def committable(self) -> bool:
        """Whether to commit it, which applies to given up batches too."""
        return self.ending is not BatchOutcome.ABANDONED


class PartitionQueue:
    """Batches run in a thread of the queue's; all methods except `kill` are for the poller's thread."""

    def __init__(self, topic: str, backlog: Backlog, invoker: BatchInvoker, report: SimpleQueue[EndedBatch]) -> None:
        self.backlog = backlog
        self._topic = topic
        self._invoker = invoker
        self._report = report
        self._waiting: Queue[RecordBatch] = Queue(maxsize=1)  # a closed batch, to run after the present one
        self._thread = Thread(target=self._run, name="partition-queue", daemon=True)

    def start(self) -> None:
        """Start taking batches; the first one starts the environment."""
        self._thread.start()

    def offer(self, now: float) -> None:
        """Close a batch if one is due and none is waiting; `now` is the backlog's clock."""
        if self.backlog.due(now) and not self._waiting.full():
            self._waiting.put_nowait(batch_of(self._topic, self.backlog.take(now)))

    def drop(self, partitions: set[int]) -> None:
        """Discard the waiting records of these partitions; a batch in flight continues."""
        self.backlog.drop(partitions)
        with suppress(Empty):
            batch = self._waiting.get_nowait()
            if runs := {partition: run for partition, run in batch.runs.items() if partition not in partitions}:
                self._waiting.put_nowait(RecordBatch(batch.topic, runs))

    @property
    def ended(self) -> bool:
        """Whether the thread has ended, after a stop and the end of the batch in flight."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait for the thread's end."""
        self._thread.join()

    def kill(self) -> bool:
        """Kill the environment if a batch is in flight; False if none is."""
        return self._invoker.environment.kill()

    def _run(self) -> None:
        try:
            while not self._invoker.stopping.is_set():
                with suppress(Empty):
                    self._report.put(self._deliver(self._waiting.get(timeout=POLL_SECONDS)))
        finally:
            self._invoker.environment.close()

    def _deliver(self, batch: RecordBatch) -> EndedBatch:
        try:
            return EndedBatch(batch, self._invoker.deliver(batch))
        except Exception as error:  # noqa: BLE001 - the poller raises it
            return EndedBatch(batch, BatchOutcome.ABANDONED, error)
