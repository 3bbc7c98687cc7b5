"""Our membership in the consumer group: partitions, pauses and commits.

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

from functions.local.event_source.mapping import Mapping

LOG: Final = logging.getLogger(__name__)
POLL: Final = 0.05  # seconds: the most that a lone record waits for company in librdkafka
LEAST: Final = 500  # records a read: fewer would cost more reads
FETCHED: Final = 16 * 1024  # kilobytes in librdkafka's queues: the backlogs hold plenty
FAREWELL: Final = 5.0  # seconds
BACKOFF: Final = 20  # milliseconds before fetching on into queues that were full; the default is a second
REFRESH: Final = 10_000  # milliseconds until new partitions are noticed; the default is 5 minutes
RESET: Final = {"TRIM_HORIZON": "earliest", "LATEST": "latest"}


class Group:
    """For one thread. Raises KafkaException when the client cannot go on."""

    def __init__(self, mapping: Mapping) -> None:
        self.partitions: set[int] = set()
        self.assigned = Event()
        self.commit_failures = 0
        self._topic = mapping.topic
        self._most = max(mapping.batch_size, LEAST)
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
                "queued.max.messages.kbytes": FETCHED,
                "fetch.queue.backoff.ms": BACKOFF,
                "topic.metadata.refresh.interval.ms": REFRESH,
                "on_commit": self._committed,
                "logger": LOG,
            }
        )

    def join(self, on_loss: Callable[[set[int]], None]) -> None:
        """Ask for partitions; `on_loss` hears, within a later `read`, which of them are ours no more."""

        def lose(_: Consumer, partitions: list[TopicPartition]) -> None:
            on_loss(self._lose(partitions))

        self._consumer.subscribe([self._topic], on_assign=self._gain, on_revoke=lose, on_lost=lose)

    def read(self) -> list[Message]:
        """What is there, or comes within POLL. Being called is what keeps us in the group."""
        return [record for record in self._consumer.consume(self._most, POLL) if _sound(record)]

    def pause(self, wanted: set[int]) -> None:
        """Read none of these, and all others."""
        wanted = wanted & self.partitions  # a new set: it is kept
        if fresh := wanted - self._paused:
            self._consumer.pause([TopicPartition(self._topic, partition) for partition in fresh])
        if freed := self._paused - wanted:
            self._consumer.resume([TopicPartition(self._topic, partition) for partition in freed])
        self._paused = wanted

    def commit(self, offsets: dict[int, int]) -> None:
        """Send the next offset per partition, and do not wait: while the broker is away, that would block for good."""
        # A partition that was lost meanwhile is its new owner's to commit.
        ours = {partition: after for partition, after in offsets.items() if partition in self.partitions}
        self._uncommitted |= ours
        if self._uncommitted and (ours or self._refused):
            self._refused = False
            positions = [
                TopicPartition(self._topic, partition, after) for partition, after in self._uncommitted.items()
            ]
            self._consumer.commit(offsets=positions, asynchronous=True)

    def leave(self) -> None:
        """At once, so that nobody waits for our session to expire, but after the last commits; 2 * FAREWELL at most."""
        end = time.monotonic() + FAREWELL
        while self._uncommitted and time.monotonic() < end:
            self.commit({})
            self._consumer.poll(POLL)
        # While the broker is away a client with a commit under way does not close, but it does so once it is back.
        closing = Thread(target=self._consumer.close, name="closing", daemon=True)
        closing.start()
        closing.join(FAREWELL)

    def _committed(self, error: KafkaError | None, positions: list[TopicPartition]) -> None:
        if error:
            self.commit_failures += 1
            self._refused = True
            LOG.warning("commit failed, to be repeated: %s", error)
            return
        done = {(one.partition, one.offset) for one in positions}
        self._uncommitted = dict(self._uncommitted.items() - done)

    def _gain(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self.partitions |= {one.partition for one in partitions}
        self.assigned.set()

    def _lose(self, partitions: list[TopicPartition]) -> set[int]:
        lost = {one.partition for one in partitions}
        self.partitions -= lost
        self._paused -= lost
        self._uncommitted = {p: after for p, after in self._uncommitted.items() if p not in lost}
        return lost


def _sound(record: Message) -> bool:
    """Errors come as records; all but the fatal ones heal by themselves."""
    if (error := record.error()) is None:
        return True
    if error.fatal():
        raise KafkaException(error)
    LOG.info("%s", error)
    return False
