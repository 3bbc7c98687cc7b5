"""The operators' port to the brokers, by librdkafka's admin client."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription, MemberAssignment, OffsetSpec  # type: ignore[attr-defined] # documented, and not in `__all__`
from confluent_kafka.cimpl import OFFSET_SPEC_EARLIEST, OFFSET_SPEC_LATEST

from functions.adapters.admin_answers import answer_of
from functions.adapters.topic_id import topic_id
from functions.core.backoff import Backoff
from functions.core.errors import Refused, Unavailable
from functions.core.operator_ports import GroupMember, LogBounds

PERMANENT_ERRORS: Final = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.NON_EMPTY_GROUP,
)
# A leader or a coordinator that moves: right after a topic is created, and while brokers are replaced one by one.
MOVING: Final = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
BETWEEN_REQUESTS: Final = Backoff(initial_seconds=0.1, max_seconds=1.0)
SPEC: Final[Any] = OffsetSpec  # the stubs declare an abstract class; it can be called
MAX_TIMESTAMP: Final = 2**63 - 1
EARLIEST, LATEST = SPEC(OFFSET_SPEC_EARLIEST), SPEC(OFFSET_SPEC_LATEST)
WITHOUT_MEMBERS: Final = (ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class KafkaBrokers:
    """See operator_ports.Brokers. Connects when first called; `timeout` bounds each request, in seconds."""

    connection: Callable[[], Mapping[str, Any]]
    group: str
    timeout: float = 10.0
    _errors: list[str] = field(default_factory=list)

    @cached_property
    def _admin(self) -> AdminClient:
        return AdminClient(self._settings())

    def _settings(self) -> dict[str, Any]:
        quiet: dict[str, Any] = {"log_level": 0, "error_cb": lambda error: self._errors.append(error.str())}
        return {**self.connection(), **quiet}

    def partitions(self, topic: str) -> list[int]:
        """See operator_ports.Brokers."""
        metadata = self._answer(lambda: self._admin.list_topics(topic, timeout=self.timeout).topics[topic])
        if metadata.error is not None or not metadata.partitions:
            raise Refused(f"brokers: topic {topic}: {metadata.error or 'has no partitions'}")
        return sorted(metadata.partitions)

    def topic_id(self, topic: str) -> str | None:
        """See operator_ports.Brokers."""
        return self._answer(lambda: topic_id(self._admin, topic, self.timeout))

    def bounds(self, topic: str, partitions: Iterable[int]) -> dict[int, LogBounds]:
        """See operator_ports.Brokers. Two requests."""
        numbers = list(partitions)
        low, high = self._offsets(topic, numbers, EARLIEST), self._offsets(topic, numbers, LATEST)
        return {number: LogBounds(low[number], high[number]) for number in numbers}

    def first_newer(self, topic: str, partition: int, timestamp: int) -> int | None:
        """See operator_ports.Brokers."""
        offset = self._offsets(topic, [partition], SPEC(min(timestamp + 1, MAX_TIMESTAMP)))[partition]
        return offset if offset >= 0 else None

    def committed(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """See operator_ports.Brokers.

        Asks by a consumer that joins no group: the admin client's request ends the process with a segmentation fault
        while the group's coordinator loads (librdkafka #5040).
        """
        consumer = Consumer({**self._settings(), "group.id": self.group, "enable.auto.commit": False})
        request = [TopicPartition(topic, number) for number in partitions]
        try:
            answer = self._answer(lambda: _without_errors(consumer.committed(request, timeout=self.timeout)))
        finally:
            consumer.close()
        return {partition.partition: partition.offset for partition in answer if partition.offset >= 0}

    def has_members(self) -> bool:
        """See operator_ports.Brokers."""
        return self._answer(lambda: self._group().state not in WITHOUT_MEMBERS)

    def members(self) -> Sequence[GroupMember]:
        """See operator_ports.Brokers. A host is as the brokers see it: `/10.0.12.7`, without the slash."""

        def request() -> list[GroupMember]:
            return [
                GroupMember(each.client_id, each.host.removeprefix("/"), _numbers(each.assignment))
                for each in self._group().members
            ]

        return sorted(self._answer(request), key=lambda member: (member.partitions, member.client))

    def _group(self) -> ConsumerGroupDescription:
        futures = self._admin.describe_consumer_groups([self.group], request_timeout=self.timeout)
        group: ConsumerGroupDescription = answer_of(futures[self.group], self.timeout)
        return group

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """See operator_ports.Brokers."""

        def request() -> None:
            offsets = [ConsumerGroupTopicPartitions(self.group, [TopicPartition(topic, partition, offset)])]
            futures = self._admin.alter_consumer_group_offsets(offsets, request_timeout=self.timeout)
            _without_errors(answer_of(futures[self.group], self.timeout).topic_partitions or ())

        self._answer(request)

    def _offsets(self, topic: str, partitions: list[int], spec: OffsetSpec) -> dict[int, int]:
        def request() -> dict[int, int]:
            futures = self._admin.list_offsets(
                {TopicPartition(topic, number): spec for number in partitions},
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=self.timeout,
            )
            return {each.partition: answer_of(future, self.timeout).offset for each, future in futures.items()}

        return self._answer(request)

    def _answer(self, request: Callable[[], Answer]) -> Answer:
        """Ask again while a leader or a coordinator moves, for at most `timeout` seconds."""
        deadline = time.monotonic() + self.timeout
        attempt = 1
        while True:
            try:
                return request()
            except KafkaException as error:
                wait = BETWEEN_REQUESTS.delay(attempt, random.random())  # noqa: S311 - jitter, not a secret
                if error.args[0].code() not in MOVING or time.monotonic() + wait > deadline:
                    raise self._described(error) from None
                time.sleep(wait)
                attempt += 1

    def _described(self, error: KafkaException) -> Refused | Unavailable:
        self._admin.poll(0)  # librdkafka passes the true reason, such as a failed login, to the callback alone
        why = next((text for text in self._errors if "brokers are down" not in text), error.args[0].str())
        why, servers = " ".join(why.split()), self.connection().get("bootstrap.servers")
        if error.args[0].code() in PERMANENT_ERRORS:
            return Refused(f"brokers {servers}: {why}")
        return Unavailable(f"brokers {servers} do not answer: {why}")


def _numbers(assignment: MemberAssignment | None) -> tuple[int, ...]:
    return tuple(sorted(each.partition for each in assignment.topic_partitions)) if assignment else ()


def _without_errors(partitions: Sequence[TopicPartition]) -> Sequence[TopicPartition]:
    for partition in partitions:
        if partition.error is not None:
            raise KafkaException(partition.error)
    return partitions
