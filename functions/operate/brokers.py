"""What the brokers know of a topic and of the consumer group, asked without joining the group.

Every method raises Unavailable when the brokers do not answer, and Refused when they answer no.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # documented, and not in `__all__`
from confluent_kafka.cimpl import OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST

from functions.core.errors import Refused, Unavailable

TIMEOUT: Final = 10.0  # seconds for each question
DENIED: Final = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.NON_EMPTY_GROUP,
)
OF: Final[Any] = OffsetSpec  # its types make it an abstract class, which it is not when called
LAST: Final = 2**63 - 1
EARLIEST, LATEST = OF(OFFSET_SPEC_EARLIEST), OF(OFFSET_SPEC_LATEST)
NOBODY: Final = (ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD)


class Ends(NamedTuple):
    """A partition holds [low, high). `high` leaves out what open transactions have not committed."""

    low: int
    high: int


class Brokers:
    """`connection` is librdkafka's, `group` the consumer group of both runtimes."""

    def __init__(self, connection: Mapping[str, Any], group: str) -> None:
        self.group = group
        self.connection = dict(connection)
        self._told: list[str] = []
        quiet = {"log_level": 0, "error_cb": lambda error: self._told.append(error.str())}
        self._admin = AdminClient(self.connection | quiet)

    def partitions(self, topic: str) -> list[int]:
        """The numbers of a topic's partitions; Refused if there is no such topic."""
        with self._asking():
            found = self._admin.list_topics(topic, timeout=TIMEOUT).topics[topic]
        if found.error is not None or not found.partitions:
            raise Refused(f"brokers: topic {topic}: {found.error or 'has no partitions'}")
        return sorted(found.partitions)

    def ends(self, topic: str, partitions: Iterable[int]) -> dict[int, Ends]:
        """Where each partition begins and ends."""
        numbers = list(partitions)
        low, high = self._offsets(topic, numbers, EARLIEST), self._offsets(topic, numbers, LATEST)
        return {number: Ends(low[number], high[number]) for number in numbers}

    def newer(self, topic: str, partition: int, than: int) -> int | None:
        """The first offset whose timestamp (ms) is newer; None if there is none."""
        found = self._offsets(topic, [partition], OF(min(than + 1, LAST)))[partition]
        return found if found >= 0 else None

    def committed(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """What the group has committed; partitions without a commit are left out."""
        asked = [ConsumerGroupTopicPartitions(self.group, [TopicPartition(topic, number) for number in partitions])]
        with self._asking():
            answer = self._admin.list_consumer_group_offsets(asked, request_timeout=TIMEOUT)[self.group].result()
        return {part.partition: part.offset for part in answer.topic_partitions or () if part.offset >= 0}

    def active(self) -> bool:
        """Whether the group has members: a worker, or Lambda's mapping."""
        with self._asking():
            answer = self._admin.describe_consumer_groups([self.group], request_timeout=TIMEOUT)
            return answer[self.group].result().state not in NOBODY

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """Commit for the group, which must have no members."""
        to = ConsumerGroupTopicPartitions(self.group, [TopicPartition(topic, partition, offset)])
        with self._asking():
            answer = self._admin.alter_consumer_group_offsets([to], request_timeout=TIMEOUT)[self.group].result()
            for part in answer.topic_partitions or ():
                if part.error is not None:
                    raise KafkaException(part.error)

    def _offsets(self, topic: str, partitions: list[int], of: OffsetSpec) -> dict[int, int]:
        asked = {TopicPartition(topic, number): of for number in partitions}
        with self._asking():
            answers = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=TIMEOUT
            )
            return {part.partition: answer.result().offset for part, answer in answers.items()}

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            self._admin.poll(0)  # librdkafka tells the true reason, such as a failed login, to the callback alone
            why = next((told for told in self._told if "brokers are down" not in told), error.args[0].str())
            why, where = " ".join(why.split()), self.connection.get("bootstrap.servers")
            if error.args[0].code() in DENIED:
                raise Refused(f"brokers {where}: {why}") from None
            raise Unavailable(f"brokers {where} do not answer: {why}") from None
