"""A lane: some of the topic's partitions, one environment, one batch at a time.

Follows AWS, "Configuring Amazon MSK event sources for Lambda": partitions are read sequentially, a payload may mix
them. AWS spreads partitions over event pollers with concurrent invocations; how is undocumented. Chosen here: a
partition belongs to one lane for good, so no two batches of it can ever run side by side.
"""

from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue, SimpleQueue
from threading import Thread
from typing import Final

from functions.local.event_source.backlog import Backlog
from functions.local.event_source.delivery import Ending
from functions.local.event_source.event import Batch, batch_of
from functions.local.event_source.invoker import Invoker

GLANCE: Final = 0.1  # seconds between looks whether to stop


@dataclass(frozen=True, slots=True)
class Ended:
    """A batch and how it ended; `error` is what no batch should ever raise."""

    batch: Batch
    ending: Ending
    error: Exception | None = None

    @property
    def committable(self) -> bool:
        """Done and given up are both the end of it for Kafka."""
        return self.ending is not Ending.ABANDONED


class Lane:
    """All methods are for the poller's thread, but `kill`; batches run in the lane's own."""

    def __init__(self, topic: str, backlog: Backlog, invoker: Invoker, report: SimpleQueue[Ended]) -> None:
        self.backlog = backlog
        self._topic = topic
        self._invoker = invoker
        self._report = report
        self._waiting: Queue[Batch] = Queue(maxsize=1)  # a closed batch for when the present one ends
        self._thread = Thread(target=self._run, name="lane", daemon=True)

    def start(self) -> None:
        """Begin to take batches; the first one starts the environment."""
        self._thread.start()

    def offer(self, now: float) -> None:
        """Close a batch if one is due and there is room for it; `now` is the backlog's clock."""
        if self.backlog.due(now) and not self._waiting.full():
            self._waiting.put_nowait(batch_of(self._topic, self.backlog.take(now)))

    def drop(self, partitions: set[int]) -> None:
        """Forget what waits of these partitions; a batch in flight goes on."""
        self.backlog.drop(partitions)
        with suppress(Empty):
            batch = self._waiting.get_nowait()
            if runs := {partition: run for partition, run in batch.runs.items() if partition not in partitions}:
                self._waiting.put_nowait(Batch(batch.topic, runs))

    @property
    def ended(self) -> bool:
        """Whether the thread is over: soon after it was told to stop and the batch in flight has ended."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait for that end."""
        self._thread.join()

    def kill(self) -> bool:
        """SIGKILL the environment if a batch is in flight there."""
        return self._invoker.environment.kill()

    def _run(self) -> None:
        try:
            while not self._invoker.stopping.is_set():
                with suppress(Empty):
                    self._report.put(self._bring_to_end(self._waiting.get(timeout=GLANCE)))
        finally:
            self._invoker.environment.close()

    def _bring_to_end(self, batch: Batch) -> Ended:
        try:
            return Ended(batch, self._invoker.deliver(batch))
        except Exception as error:  # noqa: BLE001 - the poller raises it: there somebody hears of it
            return Ended(batch, Ending.ABANDONED, error)
