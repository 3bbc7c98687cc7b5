"""An in-memory twin of the brokers, for all three ports that operators have to them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Final, NamedTuple
from uuid import uuid4

from functions.core.acls import Acl
from functions.core.errors import Refused, Unavailable
from functions.core.operator_ports import GroupMember, LogBounds, OutgoingRecord, SendResult
from functions.core.record_place import RecordPlace
from functions.core.redrive import redriven_from
from functions.core.slice import Headers

MAX_MESSAGE_BYTES: Final = 8 * 2**20  # as adapters.topic.PRODUCER


class MemoryRecord(NamedTuple):
    """A record in a log. `timestamp` in milliseconds."""

    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(slots=True)
class MemoryLog:
    """A partition: the first record is at offset `low`, the others follow without a hole."""

    low: int = 0
    records: list[MemoryRecord] = field(default_factory=list)

    @property
    def bounds(self) -> LogBounds:
        """Where it begins and ends."""
        return LogBounds(self.low, self.low + len(self.records))


@dataclass(slots=True)
class MemoryKafka:
    """See operator_ports.Brokers, RecordSender and RedrivenSearch.

    `logs` by topic and partition. `group_members` are those of the group; `reachable` set to False makes every call
    raise Unavailable.
    """

    logs: dict[str, dict[int, MemoryLog]] = field(default_factory=dict)
    commits: dict[tuple[str, int], int] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    group_members: list[GroupMember] = field(default_factory=list)
    reachable: bool = True

    def create_topic(self, topic: str, partitions: int) -> None:
        """Create a topic of empty partitions, in place of one of that name."""
        self.logs[topic] = {number: MemoryLog() for number in range(partitions)}
        self.ids[topic] = uuid4().hex

    def partitions(self, topic: str) -> list[int]:
        """See operator_ports.Brokers."""
        return sorted(self._topic(topic))

    def topic_id(self, topic: str) -> str | None:
        """See operator_ports.Brokers."""
        self._topic(topic)
        return self.ids.get(topic)

    def bounds(self, topic: str, partitions: Iterable[int]) -> dict[int, LogBounds]:
        """See operator_ports.Brokers."""
        logs = self._topic(topic)
        return {number: logs[number].bounds for number in partitions}

    def first_newer(self, topic: str, partition: int, timestamp: int) -> int | None:
        """See operator_ports.Brokers."""
        log = self._topic(topic)[partition]
        newer = (offset for offset, record in enumerate(log.records, log.low) if record.timestamp > timestamp)
        return next(newer, None)

    def committed(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """See operator_ports.Brokers."""
        self._topic(topic)
        return {number: self.commits[topic, number] for number in partitions if (topic, number) in self.commits}

    def has_members(self) -> bool:
        """See operator_ports.Brokers."""
        return bool(self.group_members)

    def members(self) -> list[GroupMember]:
        """See operator_ports.Brokers."""
        return sorted(self.group_members, key=lambda member: (member.partitions, member.client))

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """See operator_ports.Brokers."""
        self._topic(topic)
        if self.group_members:
            raise Refused("brokers: the group has members")
        self.commits[topic, partition] = offset

    def send(self, topic: str, records: Sequence[OutgoingRecord]) -> SendResult:
        """See operator_ports.RecordSender."""
        logs, result = self._topic(topic), SendResult()
        for record in records:
            if len(record.value or b"") > MAX_MESSAGE_BYTES:
                result.refused[record.place] = "Message size too large"
                continue
            sent = MemoryRecord(int(time() * 1000), record.key, record.value, record.headers)
            logs[record.partition].records.append(sent)
            result.acknowledged.append(record.place)
        return result

    def search(self, since: Collection[RecordPlace]) -> set[RecordPlace]:
        """See operator_ports.RedrivenSearch."""
        found: set[RecordPlace] = set()
        for topic, partition in {place[:2] for place in since}:
            first = min(place.offset for place in since if place[:2] == (topic, partition))
            log = self._topic(topic)[partition]
            for record in log.records[max(0, first - log.low) :]:
                found.update(redriven_from(record.headers)[-1:])
        return found

    def _topic(self, topic: str) -> dict[int, MemoryLog]:
        if not self.reachable:
            raise Unavailable("brokers in memory do not answer: they are not reachable")
        if topic not in self.logs:
            raise Refused(f"brokers: topic {topic}: has no partitions")
        return self.logs[topic]


@dataclass(slots=True)
class MemoryAccessControl:
    """See operator_ports.AccessControl. `connected` is the user, None without SCRAM."""

    connected: str | None = None
    stored: set[Acl] = field(default_factory=set)

    def user(self) -> str:
        """See operator_ports.AccessControl."""
        if self.connected is None:
            raise Refused("ACLs are for stages whose TANDEM_KAFKA_AUTH is scram")
        return self.connected

    def acls(self) -> frozenset[Acl]:
        """See operator_ports.AccessControl."""
        return frozenset(self.stored)

    def create(self, acls: Collection[Acl]) -> None:
        """See operator_ports.AccessControl."""
        self.stored.update(acls)

    def delete(self, acls: Collection[Acl]) -> None:
        """See operator_ports.AccessControl."""
        self.stored.difference_update(acls)
