"""What the brokers say of a topic's logs, asked on threads.

Not with the client that reads records: librdkafka's Python client lets one thread at a time use a consumer, and the one
that reads would keep the others waiting for minutes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, Generic, NamedTuple, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # documented, and not in `__all__`
from confluent_kafka.cimpl import OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST

from functions.adapters.admin_answers import answer_of
from functions.adapters.topic_id import topic_id

TIMEOUT: Final = 5.0  # seconds, of each request
DESCRIBED_SECONDS: Final = 1.0  # how long a description answers for all partitions that open together
MEASURED_SECONDS: Final = 0.2  # how long offsets do
Answer = TypeVar("Answer")
SPEC: Final[Any] = OffsetSpec  # the stubs declare an abstract class; it can be called


class Bounds(NamedTuple):
    """A log holds offsets [low, high). Open transactions are beyond `high`."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class TopicState:
    """`id` is None where brokers do not report it. `leaders` are the partitions with a leader; None if unknown."""

    id: str | None = None
    leaders: frozenset[int] | None = None


@dataclass(slots=True)
class Shared(Generic[Answer]):
    """An answer about all partitions, which the threads that ask within `seconds` share. An error is no answer."""

    ask: Callable[[], Answer]
    seconds: float
    monotonic: Callable[[], float]
    _answer: Answer | None = None
    _valid_until: float = -1.0
    _asking: Lock = field(default_factory=Lock)

    def get(self) -> Answer:
        """Return the answer, and ask if there is none or it is too old."""
        with self._asking:
            if self._answer is None or self.monotonic() >= self._valid_until:
                self._answer = self.ask()
                self._valid_until = self.monotonic() + self.seconds
            return self._answer


@dataclass(slots=True)
class Logs:
    """The logs of one topic, and what a group has committed there. All methods raise KafkaException.

    `admin` and `member` make the clients when they are first needed; the consumer never joins its group. A worker opens
    many partitions together: a request for each of a thousand took minutes.
    """

    topic: str
    admin: Callable[[], AdminClient]
    member: Callable[[], Consumer]
    monotonic: Callable[[], float]
    _admin: AdminClient | None = None
    _member: Consumer | None = None
    _clients: Lock = field(default_factory=Lock)
    _state: Shared[TopicState] = field(init=False)
    _bounds: Shared[Mapping[int, Bounds]] = field(init=False)
    _committed: Shared[Mapping[int, TopicPartition]] = field(init=False)

    def __post_init__(self) -> None:
        self._state = Shared(self._describe, DESCRIBED_SECONDS, self.monotonic)
        self._bounds = Shared(self._ask_bounds, MEASURED_SECONDS, self.monotonic)
        self._committed = Shared(self._ask_committed, MEASURED_SECONDS, self.monotonic)

    def describe(self) -> TopicState:
        """Return the topic's ID, which a recreated topic does not share, and its leaders, as of a second ago."""
        return self._state.get()

    def bounds(self, partition: int) -> Bounds:
        """Return the bounds of a partition's log, as of a moment ago.

        Where a broker keeps the shared request from its answer, each partition is asked for alone.
        """
        return self._bounds.get().get(partition) or self._bounds_of(partition)

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        """Return where the logs of partitions end, without those for which no broker answers."""
        return self._offsets(OFFSET_END, sorted(set(partitions) & self._leaders()))

    def committed(self, partition: int) -> int | None:
        """Return the group's committed offset, as of a moment ago; None if it has none."""
        answer = self._committed.get().get(partition)
        if answer is None:
            raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
        if answer.error is not None:
            raise KafkaException(answer.error)  # not the same as a group that has never committed
        return answer.offset if answer.offset >= 0 else None

    def _ask_bounds(self) -> dict[int, Bounds]:
        led = sorted(self._leaders())
        try:
            low, high = self._offsets(OFFSET_BEGINNING, led), self._offsets(OFFSET_END, led)
        except KafkaException:
            return {}
        return {number: Bounds(low[number], high[number]) for number in low.keys() & high.keys()}

    def _offsets(self, time: int, partitions: Sequence[int]) -> dict[int, int]:
        """Return one offset of each partition, by Kafka's times for the first and the last one.

        By a consumer: of many partitions, an AdminClient's answer may never come.
        """
        asked = [TopicPartition(self.topic, number, time) for number in partitions]
        answers = self._consumer().offsets_for_times(asked, timeout=TIMEOUT) if asked else []
        return {answer.partition: answer.offset for answer in answers if answer.error is None}

    def _bounds_of(self, partition: int) -> Bounds:
        """Requests of several threads do not wait for each other."""
        admin, requested = self._admin_client(), TopicPartition(self.topic, partition)
        answers = [
            admin.list_offsets(
                {requested: SPEC(spec)}, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=TIMEOUT
            )
            for spec in (OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST)
        ]
        low, high = (answer_of(future, TIMEOUT).offset for answer in answers for future in answer.values())
        return Bounds(low, high)

    def _ask_committed(self) -> dict[int, TopicPartition]:
        """By a consumer: an AdminClient crashes while a coordinator loads its groups (librdkafka 5040)."""
        asked = [TopicPartition(self.topic, number) for number in sorted(self._leaders())]
        return {answer.partition: answer for answer in self._consumer().committed(asked, timeout=TIMEOUT)}

    def _leaders(self) -> frozenset[int]:
        return self.describe().leaders or frozenset()

    def _consumer(self) -> Consumer:
        with self._clients:
            self._member = self._member or self.member()
            return self._member

    def _admin_client(self) -> AdminClient:
        with self._clients:
            self._admin = self._admin or self.admin()
            return self._admin

    def _describe(self) -> TopicState:
        admin = self._admin_client()
        metadata = admin.list_topics(self.topic, timeout=TIMEOUT)
        topic = metadata.topics[self.topic]
        if topic.error is not None:
            raise KafkaException(topic.error)
        leaders = frozenset(number for number, found in topic.partitions.items() if found.leader in metadata.brokers)
        # Without a reachable controller the request would wait for one.
        id_ = topic_id(admin, self.topic, TIMEOUT) if metadata.controller_id in metadata.brokers else None
        return TopicState(id_, leaders)
