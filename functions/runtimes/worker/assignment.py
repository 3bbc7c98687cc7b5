"""The group's decisions: lanes open at the ledger's offset, and close after a bounded drain.

The callbacks run inside `Consumer.consume`, on the loop's thread, under the cooperative protocol: only what changes
hands is named, everything else goes on.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from functions.core.backoff import Backoff
from functions.core.errors import Fatal, OffsetsWentBack, Retry
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Ledger, Source
from functions.runtimes.worker import start
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.lane import Lane

ATTEMPTS = 6  # with the backoff below, about half a minute of asking before the process gives up


@dataclass(slots=True)
class Assignment:
    """Opens and closes the lanes of a fleet. `reap` commits what has been settled; `changed` logs and counts."""

    pipeline: AnyPipeline
    ledger: Ledger
    fleet: Fleet
    drain_seconds: float
    reap: Callable[[], None]
    changed: Callable[[str, list[int]], None]
    backoff: Backoff = field(default_factory=lambda: Backoff(first=0.5, most=8.0))

    def assigned(self, consumer: Consumer, parts: list[TopicPartition]) -> None:
        """Open lanes where the ledger stands. Raises Fatal when that cannot be found out."""
        lanes = [self._open(consumer, part) for part in parts]
        consumer.incremental_assign([_start(lane) for lane in lanes])
        consumer.resume([_start(lane) for lane in lanes])  # librdkafka remembers that a partition was paused before
        consumer.pause([_start(lane) for lane in lanes if lane.stopped])
        self.fleet.lanes.update({lane.partition: lane for lane in lanes})
        self.changed("assigned", [lane.partition for lane in lanes])

    def revoked(self, consumer: Consumer, parts: list[TopicPartition]) -> None:
        """Let slices in flight end within the drain time and commit them; the next owner settles the others."""
        numbers = [part.partition for part in parts]
        self.fleet.wait(numbers, self.drain_seconds)
        self.reap()
        self._close(numbers)
        consumer.incremental_unassign(parts)
        self.changed("revoked", numbers)

    def lost(self, consumer: Consumer, parts: list[TopicPartition]) -> None:
        """The group went on without us: another worker has these partitions already, so nothing is committed."""
        numbers = [part.partition for part in parts]
        self._close(numbers)
        consumer.incremental_unassign(parts)
        self.changed("lost", numbers)

    def _close(self, numbers: list[int]) -> None:
        for number in numbers:
            self.fleet.lanes.pop(number, None)

    def _open(self, consumer: Consumer, part: TopicPartition) -> Lane:
        source = Source(self.pipeline.name, part.topic, part.partition)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                at = start.offset(consumer, part, self.ledger.read(source), self.pipeline.start)
            except OffsetsWentBack as error:
                return Lane(part.topic, part.partition, OFFSET_END, self.pipeline.limits, stopped=error, paused=True)
            except (Retry, KafkaException) as error:
                if attempt == ATTEMPTS:
                    raise Fatal(f"{source}: cannot find out where to start: {error}") from error
                time.sleep(self.backoff.delay(attempt, random.random()))  # noqa: S311 - jitter, not a secret
            else:
                return Lane(part.topic, part.partition, at, self.pipeline.limits)
        raise AssertionError  # the loop returns or raises


def _start(lane: Lane) -> TopicPartition:
    return TopicPartition(lane.topic, lane.partition, lane.position)
