"""What the tests of the operator verbs put into a stage, and read back."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from functions.adapters.dead_letters import S3DeadLetters
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.ports import Gap, Position, Source
from functions.operate.desk import Desk

TOPIC: Final = "user-login"
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
LETTER: Final = DeadLetter(
    "logins", TOPIC, 3, 345, 1_795_440_410_000, b"user-1", b'{"a": 1}', [("trace", b"1"), ("trace", None)],
    Reason.REJECTED, "ip: takes an address", "",
)  # fmt: skip


def letter(offset: int, **changes: Any) -> DeadLetter:
    return replace(LETTER, offset=offset, **changes)


def store(desk: Desk, *letters: DeadLetter) -> None:
    S3DeadLetters(desk.s3, desk.settings.dead_letter_bucket, desk.pool).store(letters)


def settle(desk: Desk, partition: int, to: int, newest: int = 0, gap: Gap | None = None) -> Position:
    """Let the ledger stand at `to`."""
    source = Source("logins", TOPIC, partition)
    at = desk.ledger.open(source, 0, 2**62, date(2026, 11, 1))
    end = Position(to, 0, None, newest)
    assert desk.ledger.advance(source, at, end, (), gap)
    return end


def records(desk: Desk, topic: str = TOPIC, partitions: int = 4) -> list[tuple[int, Any, Any, Any]]:
    """(partition, key, value, headers) of everything in a topic."""
    consumer = Consumer({"bootstrap.servers": desk.settings.bootstrap_servers, "group.id": "reader"})
    found: list[tuple[int, Any, Any, Any]] = []
    try:
        parts = [TopicPartition(topic, number) for number in range(partitions)]
        expected = sum(consumer.get_watermark_offsets(part, timeout=10)[1] for part in parts)
        consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        while len(found) < expected:
            messages: list[Any] = consumer.consume(expected - len(found), 10)
            assert messages
            found += [(one.partition(), one.key(), one.value(), one.headers()) for one in messages]
        return found
    finally:
        consumer.close()
