"""A member of the consumer group: partitions, pauses and commits.

Follows AWS, "Configuring Amazon MSK event sources for Lambda": offsets are committed to Kafka after each batch;
"Customizable consumer group ID": the starting position counts only for a group without committed offsets.

Undocumented, so chosen here: the client and its assignor (librdkafka, range), and that it reads committed records only.
"""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from sandbox.event_source.mapping import EventSourceMapping

LOG: Final = logging.getLogger(__name__)
POLL_SECONDS: Final = 0.05  # how long a single record waits in librdkafka for more
MIN_READ_RECORDS: Final = 500  # fewer would cost more reads
QUEUED_KILOBYTES: Final = 16 * 1024  # in librdkafka; the backlogs hold more
LEAVE_SECONDS: Final = 5.0
FETCH_BACKOFF_MS: Final = 20  # before fetching again into queues that were full; the default is a second
METADATA_REFRESH_MS: Final = 10_000  # until new partitions are noticed; the default is 5 minutes
RESET: Final = {"TRIM_HORIZON": "earliest", "LATEST": "latest"}


class GroupMember:
    """For one thread. Raises KafkaException when the client cannot continue."""

    def __init__(self, mapping: EventSourceMapping) -> None:
        self.partitions: set[int] = set()
        self.assigned = Event()
        self.commit_failures = 0
        self._topic = mapping.topic
        self._read_records = max(mapping.batch_size, MIN_READ_RECORDS)
        self._paused: set[int] = set()
        self._uncommitted: dict[int, int] = {}
        self._refused = False
        self._consumer = Consumer(
            {
                "bootstrap.servers": mapping.bootstrap,
                "group.id": mapping.group,
                "auto.offset.reset": RESET[mapping.starting_position],
                "enable.auto.commit": False,
                "session.timeout.ms": round(mapping.session_timeout * 1000),
                "heartbeat.interval.ms": round(mapping.session_timeout * 1000 / 4),
                "queued.max.messages.kbytes": QUEUED_KILOBYTES,
                "fetch.queue.backoff.ms": FETCH_BACKOFF_MS,
                "topic.metadata.refresh.interval.ms": METADATA_REFRESH_MS,
                "on_commit": self._committed,
                "logger": LOG,
            }
        )

    def join(self, on_loss: Callable[[set[int]], None]) -> None:
        """Subscribe; a later `read` calls `on_loss` with the partitions that were revoked or lost."""

        def lose(_: Consumer, partitions: list[TopicPartition]) -> None:
            on_loss(self._lose(partitions))

        self._consumer.subscribe([self._topic], on_assign=self._gain, on_revoke=lose, on_lost=lose)

    def read(self) -> list[Message]:
        """Return the records available within POLL_SECONDS. Regular calls keep the member in the group."""
        return [record for record in self._consumer.consume(self._read_records, POLL_SECONDS) if _is_record(record)]

    def pause(self, wanted: set[int]) -> None:
        """Pause these partitions, and resume all others."""
        wanted = wanted & self.partitions  # a new set: it is kept
        if fresh := wanted - self._paused:
            self._consumer.pause([TopicPartition(self._topic, partition) for partition in fresh])
        if freed := self._paused - wanted:
            self._consumer.resume([TopicPartition(self._topic, partition) for partition in freed])
        self._paused = wanted

    def commit(self, offsets: dict[int, int]) -> None:
        """Send the next offset per partition without waiting, which would block forever while the broker is away."""
        # Only its new owner commits a partition that was lost.
        ours = {partition: after for partition, after in offsets.items() if partition in self.partitions}
        self._uncommitted |= ours
        if self._uncommitted and (ours or self._refused):
            self._refused = False
            positions = [
                TopicPartition(self._topic, partition, after) for partition, after in self._uncommitted.items()
            ]
            self._consumer.commit(offsets=positions, asynchronous=True)

    def leave(self) -> None:
        """Leave after the last commits, so that no member waits for our session's end; 2 * LEAVE_SECONDS at most."""
        end = time.monotonic() + LEAVE_SECONDS
        while self._uncommitted and time.monotonic() < end:
            self.commit({})
            self._consumer.poll(POLL_SECONDS)
        # While the broker is away, a client with a commit in flight does not close; it does when the broker is back.
        closing = Thread(target=self._consumer.close, name="closing", daemon=True)
        closing.start()
        closing.join(LEAVE_SECONDS)

    def _committed(self, error: KafkaError | None, positions: list[TopicPartition]) -> None:
        if error:
            self.commit_failures += 1
            self._refused = True
            LOG.warning("commit failed, to be repeated: %s", error)
            return
        done = {(position.partition, position.offset) for position in positions}
        self._uncommitted = dict(self._uncommitted.items() - done)

    def _gain(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self.partitions |= {each.partition for each in partitions}
        self.assigned.set()

    def _lose(self, partitions: list[TopicPartition]) -> set[int]:
        lost = {each.partition for each in partitions}
        self.partitions -= lost
        self._paused -= lost
        self._uncommitted = {p: after for p, after in self._uncommitted.items() if p not in lost}
        return lost


def _is_record(record: Message) -> bool:
    """Whether it is a record: the client returns errors too, and recovers from all but the fatal ones."""
    if (error := record.error()) is None:
        return True
    if error.fatal():
        raise KafkaException(error)
    LOG.info("%s", error)
    return False
