"""The loop that distributes records to partition queues, and commits what has ended."""

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final

from sandbox.event_source.event import batch_of
from sandbox.event_source.group import GroupMember
from sandbox.event_source.partition_queue import EndedBatch, PartitionQueue

FULL_SECONDS: Final = 1.0  # without a read while all queues are full: pausing sooner discards fetched records


class Poller:
    """Partition p belongs to queue p modulo their number. Queues report to `ended`; `conclude` is called for each."""

    def __init__(
        self,
        member: GroupMember,
        queues: Sequence[PartitionQueue],
        ended: SimpleQueue[EndedBatch],
        conclude: Callable[[EndedBatch], None],
    ) -> None:
        self._member = member
        self._queues = queues
        self._ended = ended
        self._conclude = conclude

    def run(self, stopping: Event) -> None:
        """Run until `stopping` is set and batches in flight have ended. Raises what a queue or the client raised."""
        try:
            self._member.join(self._drop)
            while not stopping.is_set():
                self._turn()
            self._drain()
        finally:
            stopping.set()
            self._member.leave()

    def _turn(self) -> None:
        if not (self._all_full() and self._commit_ended(FULL_SECONDS)):
            self._member.pause({p for p in self._member.partitions if self._queue(p).backlog.full})
            self._distribute()
            self._commit_ended(0)
        for queue in self._queues:
            queue.offer(time.monotonic())

    def _all_full(self) -> bool:
        partitions = self._member.partitions
        return bool(partitions) and all(self._queue(partition).backlog.full for partition in partitions)

    def _distribute(self) -> None:
        for partition, run in batch_of("", self._member.read()).runs.items():
            if partition in self._member.partitions:  # the read itself may have revoked it
                self._queue(partition).backlog.add(run, time.monotonic())

    def _commit_ended(self, wait: float) -> bool:
        """Commit what has ended, waiting up to `wait` seconds for the first; return whether any did."""
        ended = _drained(self._ended, wait)
        for each in ended:
            if each.error:
                raise each.error
        offsets = {p: after for each in ended if each.committable for p, after in each.batch.next_offsets().items()}
        self._member.commit(offsets)
        for each in ended:
            self._conclude(each)
        return bool(ended)

    def _drain(self) -> None:
        """Stay in the group while the batches in flight end."""
        while not all(queue.ended for queue in self._queues):
            self._member.pause(self._member.partitions)
            self._member.read()
            self._commit_ended(0)
        self._commit_ended(0)

    def _queue(self, partition: int) -> PartitionQueue:
        return self._queues[partition % len(self._queues)]

    def _drop(self, partitions: set[int]) -> None:
        for queue in self._queues:
            queue.drop(partitions)


def _drained(queue: SimpleQueue[EndedBatch], wait: float) -> list[EndedBatch]:
    items = []
    try:
        items.append(queue.get(timeout=wait) if wait else queue.get_nowait())
        while True:
            items.append(queue.get_nowait())
    except Empty:
        return items
