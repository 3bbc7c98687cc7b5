"""The loop that deals records to lanes, and commits what has ended."""

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final

from functions.local.event_source.event import batch_of
from functions.local.event_source.group import Group
from functions.local.event_source.lane import Ended, Lane

REST: Final = 1.0  # seconds without a read while all lanes are full: pausing sooner throws fetched records away


class Poller:
    """Partition p is dealt to lane p modulo their number. `ended` is where lanes report, `conclude` hears of it."""

    def __init__(
        self, group: Group, lanes: Sequence[Lane], ended: SimpleQueue[Ended], conclude: Callable[[Ended], None]
    ) -> None:
        self._group = group
        self._lanes = lanes
        self._ended = ended
        self._conclude = conclude

    def run(self, stopping: Event) -> None:
        """Until `stopping` is set and the batches in flight have ended. Raises what a lane or the client raised."""
        try:
            self._group.join(self._drop)
            while not stopping.is_set():
                self._turn()
            self._drain()
        finally:
            stopping.set()
            self._group.leave()

    def _turn(self) -> None:
        if not (self._all_full() and self._take_back(REST)):
            self._group.pause({p for p in self._group.partitions if self._lane(p).backlog.full})
            self._deal()
            self._take_back(0)
        for lane in self._lanes:
            lane.offer(time.monotonic())

    def _all_full(self) -> bool:
        partitions = self._group.partitions
        return bool(partitions) and all(self._lane(partition).backlog.full for partition in partitions)

    def _deal(self) -> None:
        for partition, run in batch_of("", self._group.read()).runs.items():
            if partition in self._group.partitions:  # it may have been lost within that read
                self._lane(partition).backlog.add(run, time.monotonic())

    def _take_back(self, wait: float) -> bool:
        """Commit what has ended; waits up to `wait` seconds for the first to end, and says if any did."""
        ended = _drained(self._ended, wait)
        for one in ended:
            if one.error:
                raise one.error
        offsets = {p: after for one in ended if one.committable for p, after in one.batch.next_offsets().items()}
        self._group.commit(offsets)
        for one in ended:
            self._conclude(one)
        return bool(ended)

    def _drain(self) -> None:
        """Stay in the group while the batches in flight end."""
        while not all(lane.ended for lane in self._lanes):
            self._group.pause(self._group.partitions)
            self._group.read()
            self._take_back(0)
        self._take_back(0)

    def _lane(self, partition: int) -> Lane:
        return self._lanes[partition % len(self._lanes)]

    def _drop(self, partitions: set[int]) -> None:
        for lane in self._lanes:
            lane.drop(partitions)


def _drained(queue: SimpleQueue[Ended], wait: float) -> list[Ended]:
    items = []
    try:
        items.append(queue.get(timeout=wait) if wait else queue.get_nowait())
        while True:
            items.append(queue.get_nowait())
    except Empty:
        return items
