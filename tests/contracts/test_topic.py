"""An output topic of several partitions: acknowledged or remaining, refused or sent, with the source in the headers."""

from functions.adapters.topic import PRODUCER
from functions.core.effects import Message
from tests.contracts.twins import Topics

HEADERS: list[tuple[str, str | bytes | None]] = [("tandem-source", b"in/3/7"), ("none", None)]


def message(offset: int, value: bytes = b"{}", key: bytes | None = b"k") -> Message:
    return Message(key, value, HEADERS, offset)


def test_messages_are_there_in_order_when_send_returns(topic: Topics) -> None:
    sent = [message(n, b"%d" % n, b"\x00\xff") for n in range(30)]
    assert list(topic.topic.send(sent)) == []
    assert list(topic.sent(30)) == [(m.key, m.value, HEADERS) for m in sent]


def test_messages_without_a_key_are_sent_too(topic: Topics) -> None:
    assert list(topic.topic.send([message(n, b"%d" % n, None) for n in range(5)])) == []
    assert sorted(topic.sent(5)) == [(None, b"%d" % n, HEADERS) for n in range(5)]


def test_nothing_is_nothing(topic: Topics) -> None:
    assert list(topic.topic.send([])) == []
    assert list(topic.sent(0)) == []


def test_what_is_sent_again_is_there_again(topic: Topics) -> None:
    for _ in range(2):
        topic.topic.send([message(7)])
    assert len(topic.sent(2)) == 2


def test_a_message_that_the_topic_will_never_take_is_refused_beside_those_that_are_sent(topic: Topics) -> None:
    large = b"x" * (PRODUCER["message.max.bytes"] + 1)
    refusals = topic.topic.send([message(7, b"1"), message(8, large), message(9, b"3"), message(10, large)])
    assert [refusal.index for refusal in refusals] == [1, 3]
    assert all(refusal.detail for refusal in refusals)
    assert [value for _, value, _ in topic.sent(2)] == [b"1", b"3"]
