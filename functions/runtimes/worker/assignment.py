"""The group's callbacks: lanes that move here are opened by and by, those that leave close after a bounded drain.

The callbacks run inside `Consumer.consume`, on the loop's thread. Under the cooperative protocol they name only the
partitions that move; all others continue. The client is told to read a partition when its lane has been opened.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from functions.core.pipeline import AnyPipeline
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.pace import Pace

DRAIN_TURN_SECONDS: Final = 0.02


@dataclass(slots=True)
class Assignment:
    """Creates and closes the lanes of a fleet.

    `settle` commits what has been settled and starts the slices that are due; `changed` logs and counts.
    `attempt_seconds` is how long an attempt should take at most.
    """

    pipeline: AnyPipeline
    fleet: Fleet
    drain_seconds: float
    attempt_seconds: float
    settle: Callable[[], None]
    changed: Callable[[str, list[int]], None]

    def assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Create a lane for each partition, to be opened."""
        consumer.incremental_assign([])  # otherwise the client would read them now
        self.fleet.lanes.update({partition.partition: self._lane(partition) for partition in partitions})
        self.changed("assigned", [partition.partition for partition in partitions])

    def revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Wait up to the drain time for slices in flight, and commit them; the next owner settles the other records.

        The slices of all other partitions continue.
        """
        numbers = [partition.partition for partition in partitions]
        end = time.monotonic() + self.drain_seconds
        while self.fleet.draining(numbers) and time.monotonic() < end:
            time.sleep(DRAIN_TURN_SECONDS)
            self.settle()
        self._close(consumer, numbers)
        self.changed("revoked", numbers)

    def lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Close the lanes without a commit, because the group has already given these partitions to another worker."""
        numbers = [partition.partition for partition in partitions]
        self._close(consumer, numbers)
        self.changed("lost", numbers)

    def _close(self, consumer: Consumer, numbers: Collection[int]) -> None:
        self.fleet.abandon(numbers)
        lanes = [lane for number in numbers if (lane := self.fleet.lanes.pop(number, None))]
        consumer.incremental_unassign([TopicPartition(lane.topic, lane.partition) for lane in lanes if lane.attached])

    def _lane(self, partition: TopicPartition) -> Lane:
        limits = self.pipeline.limits
        return Lane(partition.topic, partition.partition, limits, Pace(limits.slice_records, self.attempt_seconds))
