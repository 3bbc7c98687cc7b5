"""What brokers say of a topic's logs: by clients that a test scripts, and by librdkafka's mock cluster."""

from concurrent.futures import Future
from itertools import count
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from functions.adapters.topic_id import NO_ID
from functions.runtimes.worker.logs import DESCRIBED_SECONDS, MEASURED_SECONDS, Bounds, Logs, TopicState
from tests.unit.runtimes.worker.consumers import kafka_error


class Cluster:
    """Brokers 1 and 2; partition 1's leader is gone, partition 2 has none."""

    def __init__(self) -> None:
        self.now, self.controller, self.error = 0.0, 1, None
        self.admin, self.member = Mock(), Mock()
        self.admin.list_topics.side_effect = self._metadata
        self.failing: set[int] = set()
        self.logs = Logs("click", lambda: self.admin, lambda: self.member, lambda: self.now)

    def answer(self, topic_id: str | KafkaException) -> None:
        future: Future[Any] = Future()
        if isinstance(topic_id, str):
            future.set_result(Mock(topic_id=topic_id))
        else:
            future.set_exception(topic_id)
        self.admin.describe_topics.return_value = {"click": future}

    def answer_alone(self, offset: int | None) -> None:
        """The answer to a request for one partition; None: an error."""
        future: Future[Any] = Future()
        if offset is None:
            future.set_exception(kafka_error(KafkaError._TIMED_OUT))
        else:
            future.set_result(Mock(offset=offset))
        self.admin.list_offsets.return_value = {"asked": future}

    def offsets(self, asked: list[TopicPartition], **_: Any) -> list[Any]:
        """Each log begins and ends at ten times its partition's number."""
        broken = KafkaError(KafkaError._TRANSPORT)
        return [
            Mock(partition=n, offset=10 * n, error=broken if n in self.failing else None)
            for n in (each.partition for each in asked)
        ]

    def _metadata(self, *_: Any, **__: Any) -> Any:
        partitions = {0: Mock(leader=1), 1: Mock(leader=9), 2: Mock(leader=-1), 3: Mock(leader=2)}
        topics = {"click": Mock(error=self.error, partitions=partitions)}
        return Mock(topics=topics, brokers={1: None, 2: None}, controller_id=self.controller)


def test_a_topic_has_an_id_and_leaders() -> None:
    cluster = Cluster()
    cluster.answer("rXrxBrcCRDeNjxZPuIqDyw")
    assert cluster.logs.describe() == TopicState("rXrxBrcCRDeNjxZPuIqDyw", frozenset({0, 3}))


def test_one_description_answers_for_all_partitions_that_open_together() -> None:
    cluster = Cluster()
    cluster.answer("an-id")
    for _ in range(24):
        cluster.logs.describe()
    assert cluster.admin.list_topics.call_count == cluster.admin.describe_topics.call_count == 1
    cluster.now = DESCRIBED_SECONDS
    cluster.logs.describe()
    assert cluster.admin.list_topics.call_count == 2


@pytest.mark.parametrize(
    "answer",
    [
        NO_ID,
        kafka_error(KafkaError.TOPIC_AUTHORIZATION_FAILED),
        kafka_error(KafkaError._UNSUPPORTED_FEATURE),
    ],
    ids=["brokers without IDs", "no permission", "an old client or broker"],
)
def test_where_brokers_tell_no_id_there_is_none(answer: Any) -> None:
    cluster = Cluster()
    cluster.answer(answer)
    assert cluster.logs.describe().id is None


def test_a_cluster_without_a_controller_is_not_asked_for_the_id() -> None:
    cluster = Cluster()
    cluster.controller = -1
    assert cluster.logs.describe() == TopicState(None, frozenset({0, 3}))
    cluster.admin.describe_topics.assert_not_called()


def test_an_answer_that_fails_is_no_answer() -> None:
    cluster = Cluster()
    cluster.answer(kafka_error())
    with pytest.raises(KafkaException):
        cluster.logs.describe()
    cluster.answer("an-id")
    assert cluster.logs.describe().id == "an-id"


def test_a_topic_that_the_brokers_do_not_know_is_an_error() -> None:
    cluster = Cluster()
    cluster.error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)  # type: ignore[assignment]
    with pytest.raises(KafkaException):
        cluster.logs.describe()


@pytest.mark.parametrize("committed", [-1001, 0, 40])
def test_an_offset_that_was_never_committed_is_none(committed: int) -> None:
    cluster = Cluster()
    cluster.answer("an-id")
    cluster.member.committed.return_value = [Mock(error=None, offset=committed, partition=0)]
    assert cluster.logs.committed(0) == (None if committed < 0 else committed)


def test_a_commit_that_cannot_be_read_is_not_taken_for_none() -> None:
    cluster = Cluster()
    cluster.answer("an-id")
    unstable = KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT)
    cluster.member.committed.return_value = [
        Mock(error=unstable, offset=-1001, partition=0), Mock(error=None, offset=7, partition=3),
    ]  # fmt: skip
    with pytest.raises(KafkaException):
        cluster.logs.committed(0)
    assert cluster.logs.committed(3) == 7


def test_one_request_for_all_partitions_answers_for_those_that_open_together() -> None:
    cluster = Cluster()
    cluster.answer("an-id")
    cluster.member.offsets_for_times.side_effect = cluster.offsets
    cluster.member.committed.side_effect = lambda asked, **_: [
        Mock(error=None, offset=each.partition, partition=each.partition) for each in asked
    ]
    for _ in range(24):
        assert (cluster.logs.bounds(3), cluster.logs.committed(3)) == (Bounds(30, 30), 3)
    assert (cluster.member.offsets_for_times.call_count, cluster.member.committed.call_count) == (2, 1)
    cluster.now = MEASURED_SECONDS
    cluster.logs.bounds(0)
    assert cluster.member.offsets_for_times.call_count == 4


def test_a_partition_without_an_answer_keeps_no_other_one_from_its_own() -> None:
    cluster = Cluster()
    cluster.answer("an-id")
    cluster.member.offsets_for_times.side_effect = cluster.offsets
    cluster.failing = {0}
    cluster.answer_alone(5)
    assert (cluster.logs.bounds(3), cluster.logs.bounds(0)) == (Bounds(30, 30), Bounds(5, 5))
    assert cluster.logs.ends([0, 1, 3]) == {3: 30}
    cluster.member.committed.return_value = [Mock(error=None, offset=7, partition=3)]
    with pytest.raises(KafkaException):
        cluster.logs.committed(1)
    assert cluster.logs.ends([1, 2]) == {}
    asked = [[each.partition for each in call.args[0]] for call in cluster.member.offsets_for_times.call_args_list]
    assert asked[0] == [0, 3], "a request waits for partitions without a leader"


def test_a_broker_that_does_not_answer_keeps_only_its_own_partitions_from_opening() -> None:
    cluster = Cluster()
    cluster.answer("an-id")
    cluster.member.offsets_for_times.side_effect = kafka_error(KafkaError._TIMED_OUT)
    cluster.answer_alone(5)
    assert (cluster.logs.bounds(3), cluster.logs.bounds(0)) == (Bounds(5, 5), Bounds(5, 5))
    assert cluster.member.offsets_for_times.call_count == 1
    cluster.answer_alone(None)
    with pytest.raises(KafkaException):
        cluster.logs.bounds(0)


def test_librdkafka_answers_while_another_client_reads() -> None:
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    for _ in range(3):
        producer.produce("click", b"v", partition=0)
    assert producer.flush(60) == 0
    brokers = ",".join(f"{broker.host}:{broker.port}" for broker in producer.list_topics(timeout=60).brokers.values())
    client: dict[str, Any] = {"bootstrap.servers": brokers, "log_level": 0}
    member = Consumer(client | {"group.id": "g"})
    logs = Logs("click", lambda: AdminClient(client), lambda: member, count(0, 10).__next__)  # no answer is shared
    try:
        assert logs.describe() == TopicState(None, frozenset(range(4)))  # the mock cluster has no controller
        assert (logs.bounds(0), logs.bounds(3)) == (Bounds(0, 3), Bounds(0, 0))
        assert logs.committed(0) is None
        member.commit(offsets=[TopicPartition("click", 0, 2)], asynchronous=False)
        assert logs.committed(0) == 2
    finally:
        member.close()
