"""What the brokers say of a topic's logs, asked on threads.

Not with the client that reads records: librdkafka's Python client lets one thread at a time use a consumer, and the one
that reads would keep the others waiting for minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # documented, and not in `__all__`
from confluent_kafka.cimpl import OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST

from functions.adapters.topic_id import topic_id

TIMEOUT: Final = 5.0  # seconds, of each request
VALID_SECONDS: Final = 1.0  # one description answers for all partitions that open together
SPEC: Final[Any] = OffsetSpec  # the stubs declare an abstract class; it can be called


class Bounds(NamedTuple):
    """A log holds offsets [low, high). Open transactions are beyond `high`."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class TopicState:
    """`id` is None where brokers do not tell it. `leaders` are the partitions with a leader; None if unknown."""

    id: str | None = None
    leaders: frozenset[int] | None = None


@dataclass(slots=True)
class Logs:
    """The logs of one topic, and what a group has committed there. All methods raise KafkaException.

    `admin` and `member` make the clients when they are first needed; the consumer never joins its group.
    """

    topic: str
    admin: Callable[[], AdminClient]
    member: Callable[[], Consumer]
    monotonic: Callable[[], float]
    _admin: AdminClient | None = None
    _member: Consumer | None = None
    _state: TopicState = field(default_factory=TopicState)
    _valid_until: float = -1.0
    _clients: Lock = field(default_factory=Lock)
    _describing: Lock = field(default_factory=Lock)

    def describe(self) -> TopicState:
        """Return the topic's ID, which a recreated topic does not share, and its leaders, as of a second ago."""
        admin = self._admin_client()
        with self._describing:
            if self.monotonic() >= self._valid_until:
                self._state = self._describe(admin)
                self._valid_until = self.monotonic() + VALID_SECONDS
            return self._state

    def bounds(self, partition: int) -> Bounds:
        """Return the bounds of a partition's log. Requests of several threads do not wait for each other."""
        admin, requested = self._admin_client(), TopicPartition(self.topic, partition)
        answers = [
            admin.list_offsets(
                {requested: SPEC(spec)}, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=TIMEOUT
            )
            for spec in (OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST)
        ]
        low, high = (future.result().offset for answer in answers for future in answer.values())
        return Bounds(low, high)

    def committed(self, partition: int) -> int | None:
        """Return the group's committed offset; None if it has none.

        By a consumer: AdminClient.list_consumer_group_offsets crashes while a coordinator loads (librdkafka 5040).
        """
        with self._clients:
            self._member = self._member or self.member()
        (answer,) = self._member.committed([TopicPartition(self.topic, partition)], timeout=TIMEOUT)
        if answer.error is not None:
            raise KafkaException(answer.error)  # not the same as a group that has never committed
        return answer.offset if answer.offset >= 0 else None

    def _admin_client(self) -> AdminClient:
        with self._clients:
            self._admin = self._admin or self.admin()
            return self._admin

    def _describe(self, admin: AdminClient) -> TopicState:
        metadata = admin.list_topics(self.topic, timeout=TIMEOUT)
        topic = metadata.topics[self.topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        leaders = frozenset(number for number, found in topic.partitions.items() if found.leader in metadata.brokers)
        # Without a reachable controller the request would wait for one.
        id_ = topic_id(admin, self.topic, TIMEOUT) if metadata.controller_id in metadata.brokers else None
        return TopicState(id_, leaders)
