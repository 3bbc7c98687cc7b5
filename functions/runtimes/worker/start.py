"""Where an assigned partition begins: the ledger decides, not the commit.

Law 7: where there is neither ledger nor commit, the beginning is written to the ledger before the first record is read,
so that a later assignment begins there, too. Law 8: a log that went back is a stop in the ledger.
"""

from dataclasses import dataclass
from typing import Protocol

from confluent_kafka import KafkaException, TopicPartition

from functions.core.errors import OffsetsWentBack, Unavailable
from functions.core.pipeline import AnyPipeline, Start
from functions.core.ports import Clock, DurableStop, Ledger, Position, Source, StopReason
from functions.core.stops import milliseconds, raise_stop
from functions.runtimes.worker.logs import Bounds, TopicState


class TopicLogs(Protocol):
    """The logs of the pipeline's topic: see logs.Logs. All methods raise KafkaException."""

    def describe(self) -> TopicState:
        """Return the topic's ID and leaders."""

    def bounds(self, partition: int) -> Bounds:
        """Return the bounds of a partition's log."""

    def committed(self, partition: int) -> int | None:
        """Return the group's committed offset; None if it has none."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Determines the first offset to read of a partition, with blocking requests to the ledger and the brokers."""

    pipeline: AnyPipeline
    ledger: Ledger
    logs: TopicLogs
    now: Clock

    def __call__(self, partition: TopicPartition) -> int:
        """Return the first offset to read. Raises Stop if an operator must act, Retry if it cannot be known now."""
        source = Source(self.pipeline.name, partition.topic, partition.partition)
        try:
            return self._offset(source)
        except KafkaException as error:
            raise Unavailable(f"{source}: {error.args[0].str()}") from error

    def _offset(self, source: Source) -> int:
        position = self.ledger.read(source)
        if position is not None:
            raise_stop(source, position)
        topic = self.logs.describe()
        if topic.leaders is not None and source.partition not in topic.leaders:
            raise Unavailable(f"{source}: the partition has no leader")
        bounds = self.logs.bounds(source.partition)
        same_topic = position is not None and position.topic_id is not None and position.topic_id == topic.id
        if position is None:
            position = self.ledger.begin(source, self._first(source, bounds), topic.id)
        elif position.topic_id is None and topic.id is not None:
            position = self.ledger.begin(source, position.next, topic.id)
        self._refuse_other_topic(source, position, topic, bounds)
        # Records that expired before they were settled become a gap. Unless the topic's ID is known to be the same, the
        # last settled record is read again, so that settling can compare its timestamp: nothing else detects a
        # recreated log that has outgrown the ledger.
        reads_again = position.newest >= 0 and not same_topic
        return max(position.next - reads_again, bounds.low)

    def _first(self, source: Source, bounds: Bounds) -> int:
        """Return where a partition without a ledger begins."""
        committed = self.logs.committed(source.partition)
        if committed is not None:
            return max(committed, bounds.low)
        return bounds.low if self.pipeline.start is Start.EARLIEST else bounds.high

    def _refuse_other_topic(self, source: Source, position: Position, topic: TopicState, bounds: Bounds) -> None:
        """Record and raise a stop if this is not the log that the ledger's offsets belong to."""
        raise_stop(source, position)
        if position.topic_id is not None and topic.id not in {None, position.topic_id}:
            detail = f"{source}: the ledger is that of the topic with ID {position.topic_id}, its ID is now {topic.id}"
        elif position.next > bounds.high:
            detail = f"{source}: the offsets before {position.next} are settled, the log ends at {bounds.high}"
        else:
            return
        # No offset of this log counts as settled, and no intent of the other one would be adopted for its records.
        is_unused = position.next <= bounds.low and position.day is None
        command = "resume" if is_unused else "rewind"
        error = OffsetsWentBack(
            f"{detail}. Was the topic recreated or the cluster restored? Run `tandem {command}` to continue"
        )
        now = milliseconds(self.now())
        self.ledger.stop(source, DurableStop(StopReason.OFFSETS_WENT_BACK, str(error), position.next, bounds.high, now))
        raise error
