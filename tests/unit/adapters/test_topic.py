"""A topic sink on librdkafka's mock cluster, and on a fake producer for errors that the cluster cannot produce."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from functions.adapters.topic import PRODUCER, KafkaTopicWriter
from functions.core.effects import Message
from functions.core.errors import Fatal, Incomplete, Refused, Unavailable

Answered = Callable[[KafkaError | None, Any], None]


@pytest.fixture(scope="module")
def cluster() -> Producer:
    """The mock cluster lives as long as its producer."""
    return Producer({"test.mock.num.brokers": 1, "log_level": 0} | PRODUCER)


@pytest.fixture
def name() -> str:
    return f"t-{uuid4().hex[:8]}"


def messages(*values: bytes, key: bytes | None = b"u") -> list[Message]:
    return [Message(key, value, [("tandem-source", b"t/0/7")], 7 + index) for index, value in enumerate(values)]


def stored(cluster: Producer, name: str, number: int) -> list[Any]:
    brokers = cluster.list_topics(timeout=60).brokers.values()
    chosen = {
        "bootstrap.servers": ",".join(f"{b.host}:{b.port}" for b in brokers),
        "group.id": "reader",
        "log_level": 0,
    }
    with closing(Consumer(chosen)) as consumer:
        consumer.assign([TopicPartition(name, partition, OFFSET_BEGINNING) for partition in range(4)])
        consumed: list[Any] = []
        end = time.monotonic() + 120
        while len(consumed) < number and time.monotonic() < end:
            consumed += consumer.consume(100, 0.2)
        return consumed + consumer.consume(100, 0.2)


def test_every_message_is_acknowledged_when_it_returns(cluster: Producer, name: str) -> None:
    KafkaTopicWriter(cluster, name).send(messages(b"1", b"2", b"3"))
    consumed = stored(cluster, name, 3)
    assert [message.value() for message in consumed] == [b"1", b"2", b"3"]
    assert {message.key() for message in consumed} == {b"u"}
    assert consumed[0].headers() == [("tandem-source", b"t/0/7")]


def test_nothing_to_send_waits_for_nothing(cluster: Producer, name: str) -> None:
    KafkaTopicWriter(cluster, name, timeout=0).send([])


def test_a_producer_may_be_shared_between_threads(cluster: Producer, name: str) -> None:
    topic = KafkaTopicWriter(cluster, name)
    with ThreadPoolExecutor(4) as threads:
        sent = [threads.submit(topic.send, messages(*[b"%d" % n] * 500, key=None)) for n in range(4)]
    assert [message.exception() for message in sent] == [None] * 4
    assert len(stored(cluster, name, 2000)) == 2000


def test_brokers_that_are_away_are_given_up_in_time() -> None:
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0} | PRODUCER)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"topic out: not acknowledged within 0\.2 s"):
        KafkaTopicWriter(producer, "out", timeout=0.2).send(messages(b"1"))
    assert time.monotonic() - began < 60
    producer.purge()
    producer.flush(1)


def test_a_message_that_timed_out_does_not_stay_in_the_queue() -> None:
    short = {"message.timeout.ms": 300, "retry.backoff.ms": 50}
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0} | PRODUCER | short)
    with pytest.raises(Unavailable, match=r"topic out: .*timed out"):
        KafkaTopicWriter(producer, "out", timeout=10).send(messages(b"1"))
    assert PRODUCER["message.timeout.ms"] < 30_000


class Stand:
    """A fake producer. For each message it delivers or raises the next of `answers`."""

    def __init__(self, *answers: KafkaError | Exception | None) -> None:
        self.answers = list(answers)
        self.polls = 0
        self._owed: list[tuple[Answered, KafkaError | None]] = []

    def produce(self, *_: object, on_delivery: Answered, **__: object) -> None:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self._owed.append((on_delivery, answer))

    def poll(self, _seconds: float) -> None:
        self.polls += 1
        self._deliver()

    def flush(self, _seconds: float) -> None:
        self._deliver()

    def _deliver(self) -> None:
        while self._owed:
            answered, error = self._owed.pop(0)
            answered(error, None)


def send(*answers: KafkaError | Exception | None, number: int = 1) -> Stand:
    stand: Any = Stand(*answers)
    assert list(KafkaTopicWriter(stand, "out", timeout=0.3).send(messages(*[b"v"] * number))) == []
    return stand  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KafkaError(KafkaError._MSG_TIMED_OUT), Unavailable),
        (KafkaError(KafkaError.NOT_ENOUGH_REPLICAS), Unavailable),
        (KafkaError(KafkaError._ALL_BROKERS_DOWN), Unavailable),
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), Refused),
        (KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), Unavailable),
        (KafkaError(KafkaError._UNKNOWN_TOPIC), Unavailable),
        (KafkaError(KafkaError._FATAL), Fatal),
        (KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, "lost", True), Fatal),  # noqa: FBT003 - that it is fatal
    ],
)
def test_an_error_is_classified_whether_delivered_or_raised(error: KafkaError, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^topic out: "):
        send(None, error, None, number=3)
    with pytest.raises(kind, match=r"^topic out: "):
        send(KafkaException(error))


TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
LATE = KafkaError(KafkaError.NOT_ENOUGH_REPLICAS)


@pytest.mark.parametrize("refusal", [TOO_LARGE, KafkaException(TOO_LARGE), KafkaError(KafkaError.INVALID_RECORD)])
def test_a_message_that_is_refused_for_good_does_not_stop_the_others(refusal: KafkaError | KafkaException) -> None:
    stand: Any = Stand(None, refusal, None)
    (refused,) = KafkaTopicWriter(stand, "out", timeout=0.3).send(messages(b"1", b"2", b"3"))
    assert (refused.index, bool(refused.detail)) == (1, True)


def test_a_message_over_the_brokers_limit_is_refused(cluster: Producer, name: str) -> None:
    large = b"x" * (PRODUCER["message.max.bytes"] + 1)
    (refused,) = KafkaTopicWriter(cluster, name).send(messages(b"1", large, b"3"))
    assert refused.index == 1
    assert [message.value() for message in stored(cluster, name, 2)] == [b"1", b"3"]


def test_only_what_is_not_acknowledged_remains() -> None:
    sent, stand = messages(b"1", b"2", b"3", b"4"), Stand(None, LATE, None, KafkaException(LATE))
    with pytest.raises(Incomplete, match=r"^topic out: ") as caught:
        KafkaTopicWriter(stand, "out", timeout=0.3).send(sent)  # type: ignore[arg-type]
    assert list(caught.value.remaining) == [sent[1], sent[3]]


def test_a_refusal_beside_a_late_message_is_returned_by_the_next_call() -> None:
    sent, first = messages(b"1", b"2", b"3"), Stand(TOO_LARGE, LATE, None)
    with pytest.raises(Incomplete) as caught:
        KafkaTopicWriter(first, "out", timeout=0.3).send(sent)  # type: ignore[arg-type]
    assert list(caught.value.remaining) == sent[:2]
    second: Any = Stand(TOO_LARGE, None)
    (refused,) = KafkaTopicWriter(second, "out", timeout=0.3).send(caught.value.remaining)
    assert refused.index == 0


def test_what_did_not_fit_the_queue_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr("functions.adapters.topic.monotonic", lambda: next(now) / 10)
    sent, stand = messages(b"1", b"2", b"3"), Stand(None, *[BufferError()] * 20)
    with pytest.raises(Incomplete, match="not acknowledged within") as caught:
        KafkaTopicWriter(stand, "out", timeout=0.9).send(sent)  # type: ignore[arg-type]
    assert list(caught.value.remaining) == sent[1:]


def test_a_full_queue_is_waited_for() -> None:
    assert send(BufferError(), BufferError(), None).polls == 2


def test_a_queue_that_stays_full_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr("functions.adapters.topic.monotonic", lambda: next(now) / 10)
    with pytest.raises(Unavailable, match="not acknowledged within"):
        send(*[BufferError()] * 20)
