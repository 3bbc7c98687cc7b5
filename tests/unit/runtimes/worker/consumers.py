"""Stands in for confluent_kafka's Consumer: answers what a test says, and remembers what it was told."""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

Place = tuple[int, int]  # partition, offset


class FakeConsumer:
    """`batches` are what the next reads return; `failing` maps a method to what its next calls raise."""

    def __init__(self, **watermarks: tuple[int, int]) -> None:
        self.watermarks = {int(name[1:]): marks for name, marks in watermarks.items()}
        self.commits: dict[int, int] = {}
        self.commit_error: KafkaError | None = None
        self.batches: list[list[Message]] = []
        self.failing: dict[str, list[Exception]] = {}
        self.calls: list[tuple[str, list[Place]]] = []
        self.closed = False

    def get_watermark_offsets(self, at: TopicPartition, **_: float) -> tuple[int, int]:
        self._fail("get_watermark_offsets")
        return self.watermarks[at.partition]

    def committed(self, parts: list[TopicPartition], **_: float) -> list[Any]:
        self._fail("committed")
        at = parts[0]
        found = TopicPartition(at.topic, at.partition, self.commits.get(at.partition, -1001))
        error = self.commit_error
        return [type("Committed", (), {"offset": found.offset, "error": error})]

    def consume(self, *_: float) -> list[Message]:
        self._fail("consume")
        return self.batches.pop(0) if self.batches else []

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:  # noqa: FBT001 - the client's own shape
        self._fail("commit")
        assert asynchronous
        self._told("commit", offsets)

    def incremental_assign(self, parts: list[TopicPartition]) -> None:
        self._told("assign", parts)

    def incremental_unassign(self, parts: list[TopicPartition]) -> None:
        self._told("unassign", parts)

    def pause(self, parts: list[TopicPartition]) -> None:
        self._told("pause", parts)

    def resume(self, parts: list[TopicPartition]) -> None:
        self._told("resume", parts)

    def close(self) -> None:
        self._fail("close")
        self.closed = True

    def told(self, name: str) -> list[list[Place]]:
        """The non-empty calls of a method."""
        return [places for called, places in self.calls if called == name and places]

    def _told(self, name: str, parts: Sequence[TopicPartition]) -> None:
        self.calls.append((name, [(part.partition, part.offset) for part in parts]))

    def _fail(self, name: str) -> None:
        if self.failing.get(name):
            raise self.failing[name].pop(0)


def kafka_error(code: int = KafkaError._TRANSPORT) -> KafkaException:
    return KafkaException(KafkaError(code))
