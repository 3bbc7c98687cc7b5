"""Reading in chunks, whose headers are capped before the next one is read."""

from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from functions.core.headers import MAX_HEADERS, OMITTED
from functions.runtimes.worker.reading import CHUNK_RECORDS, UNREADABLE, read
from tests.unit.runtimes.worker.consumers import FakeConsumer


def messages(*offsets: int, headers: Any = None) -> list[Message]:
    return [Message("t", 0, offset, None, b"v", headers, timestamp=(1, 1)) for offset in offsets]


def consumer(*batches: list[Message]) -> Any:
    """A consumer that notes the size and timeout of each read."""
    fake: Any = FakeConsumer()
    fake.batches, fake.reads = list(batches), []
    consume = fake.consume

    def noted(records: int, seconds: float) -> list[Message]:
        fake.reads.append((records, seconds))
        return list(consume(records, seconds))

    fake.consume = noted
    return fake


def test_it_reads_chunks_until_one_is_short_and_waits_only_for_the_first() -> None:
    fake = consumer(messages(*range(2 * CHUNK_RECORDS + 3)))
    batch = read(fake, 1000, 0.1)
    assert [message.offset() for message in batch.messages] == list(range(2 * CHUNK_RECORDS + 3))
    assert fake.reads == [(CHUNK_RECORDS, 0.1), (CHUNK_RECORDS, 0.0), (CHUNK_RECORDS, 0.0)]


def test_it_reads_no_more_than_there_is_room_for() -> None:
    fake = consumer(messages(*range(100)))
    assert len(read(fake, CHUNK_RECORDS + 2, 0.1).messages) == CHUNK_RECORDS + 2
    assert fake.reads == [(CHUNK_RECORDS, 0.1), (2, 0.0)]


def test_errors_are_kept_apart() -> None:
    failed = Message("t", 0, error=KafkaError(KafkaError._ALL_BROKERS_DOWN))
    batch = read(consumer([*messages(1), failed, *messages(2)]), 10, 0.1)
    assert [message.offset() for message in batch.messages] == [1, 2]
    assert batch.errors == [failed]


def test_headers_are_capped_and_usual_ones_are_left() -> None:
    many = [(f"h{number}", b"") for number in range(1000)]
    batch = read(consumer([*messages(1, headers=many), *messages(2, headers=[("a", b"1")]), *messages(3)]), 10, 0.1)
    first, second, third = (message.headers() for message in batch.messages)
    assert first == [*many[:MAX_HEADERS], (OMITTED, b"and 900 more")]
    assert (second, third) == ([("a", b"1")], None)


def test_headers_that_the_client_cannot_read_are_replaced_once_and_for_all() -> None:
    class Unreadable(Message):
        def headers(self) -> Any:
            if getattr(self, "read", None):
                return super().headers()
            self.read = True
            raise SystemError

    (message,) = read(consumer([Unreadable("t", 0, 1, None, b"v", timestamp=(1, 1))]), 10, 0.1).messages
    assert message.headers() == UNREADABLE


def test_the_client_keeps_only_the_headers_that_it_was_told_to_keep() -> None:
    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0, "compression.type": "zstd"})
    cluster.produce("t", b"v", partition=0, headers=[("h", b"")] * 50_000)
    assert cluster.flush(10) == 0
    brokers = ",".join(f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=60).brokers.values())
    client = Consumer({"bootstrap.servers": brokers, "group.id": "g", "log_level": 0})
    client.assign([TopicPartition("t", 0, 0)])
    (message,) = read(client, 1, 10.0).messages
    client.close()
    headers: Any = message.headers()
    assert (len(headers), headers[-1]) == (MAX_HEADERS + 1, (OMITTED, b"and 49900 more"))
