"""What both implementations of the ports to the brokers hold.

librdkafka's mock cluster describes no group and searches no timestamp: members, timestamps and unknown topics are in
tests/integration/test_operate.py, on Apache Kafka.
"""

import pytest

from functions.core.errors import Unavailable
from functions.core.operator_ports import LogBounds, OutgoingRecord
from functions.core.record_place import RecordPlace
from functions.core.redrive import redrive_headers
from tests.contracts.operators.conftest import Kafka, real_kafka


def record(offset: int, partition: int = 3, value: bytes | None = b"{}") -> OutgoingRecord:
    place = RecordPlace("old-topic", 7, offset)
    return OutgoingRecord(place, partition, b"k", value, redrive_headers([("trace", b"\x00\xff")], place, 1))


def test_an_empty_topic_has_its_partitions_and_empty_logs(kafka: Kafka) -> None:
    assert list(kafka.brokers.partitions(kafka.topic)) == [0, 1, 2, 3]
    assert kafka.brokers.bounds(kafka.topic, [0, 3]) == {0: LogBounds(0, 0), 3: LogBounds(0, 0)}


def test_records_go_to_their_partitions_and_are_acknowledged(kafka: Kafka) -> None:
    records = [record(1), record(2), record(3, partition=0), record(4, value=None)]
    result = kafka.sender.send(kafka.topic, records)
    assert sorted(result.acknowledged) == [each.place for each in records]
    assert (result.refused, result.unknown) == ({}, {})
    assert kafka.brokers.bounds(kafka.topic, range(4)) == {
        0: LogBounds(0, 1), 1: LogBounds(0, 0), 2: LogBounds(0, 0), 3: LogBounds(0, 3),
    }  # fmt: skip


def test_a_record_that_is_too_large_is_refused_and_the_others_are_sent(kafka: Kafka) -> None:
    result = kafka.sender.send(kafka.topic, [record(1), record(2, value=b"x" * 9_000_000), record(3)])
    assert sorted(place.offset for place in result.acknowledged) == [1, 3]
    ((place, why),) = result.refused.items()
    assert place.offset == 2
    assert "Message size too large" in why


def test_the_search_finds_redriven_records_from_an_offset_on(kafka: Kafka) -> None:
    kafka.sender.send(kafka.topic, [record(1), record(2), record(3), record(4, partition=0), record(5, partition=1)])

    def found(*since: tuple[int, int]) -> list[int]:
        places = kafka.search.search({RecordPlace(kafka.topic, *place) for place in since})
        return sorted(place.offset for place in places)

    assert found((3, 1)) == [2, 3]
    assert found((3, 2), (3, 1), (0, 0)) == [2, 3, 4]
    assert found((3, 3)) == []
    assert found() == []


def test_a_group_without_members_commits(kafka: Kafka) -> None:
    assert kafka.brokers.committed(kafka.topic, range(4)) == {}
    kafka.brokers.commit(kafka.topic, 3, 2)
    kafka.brokers.commit(kafka.topic, 0, 5)
    kafka.brokers.commit(kafka.topic, 3, 1)
    assert kafka.brokers.committed(kafka.topic, range(4)) == {0: 5, 3: 1}
    assert kafka.brokers.committed(kafka.topic, [1]) == {}


def test_brokers_that_do_not_answer_are_unavailable_with_the_reason() -> None:
    away = real_kafka("127.0.0.1:1", "topic", "group", timeout=0.2)
    with pytest.raises(Unavailable, match=r"^brokers 127\.0\.0\.1:1 do not answer: .*Connection refused"):
        away.brokers.partitions("topic")
    with pytest.raises(Unavailable, match=r"^brokers 127\.0\.0\.1:1 do not answer: "):
        away.brokers.committed("topic", [0])
    with pytest.raises(Unavailable, match="while searching for what was sent before"):
        away.search.search({RecordPlace("topic", 0, 0)})
    assert list(away.sender.send("topic", [record(1)]).unknown) == [record(1).place]
