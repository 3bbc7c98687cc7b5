"""A fake of confluent_kafka's Consumer: it returns what a test sets, and records its calls."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

Offset = tuple[int, int]  # partition, offset


class FakeConsumer:
    """`batches` holds the results of the next reads, `failing` the errors of a method's next calls."""

    def __init__(self, **watermarks: tuple[int, int]) -> None:
        self.watermarks = {int(name[1:]): marks for name, marks in watermarks.items()}
        self.batches: list[list[Message]] = []
        self.failing: dict[str, list[Exception]] = {}
        self.calls: list[tuple[str, list[Offset]]] = []
        self.closed = False

    def get_watermark_offsets(self, partition: TopicPartition, **_: float) -> tuple[int, int]:
        self._fail("get_watermark_offsets")
        return self.watermarks[partition.partition]

    def consume(self, records: int, *_: float) -> list[Message]:
        """Return the next batch, or as much of it as is wanted; the next call returns the rest."""
        self._fail("consume")
        batch = self.batches.pop(0) if self.batches else []
        if len(batch) > records:
            self.batches.insert(0, batch[records:])
        return batch[:records]

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:  # noqa: FBT001 - the client's own shape
        self._fail("commit")
        assert asynchronous
        self._record("commit", offsets)

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self._record("assign", partitions)

    def incremental_unassign(self, partitions: list[TopicPartition]) -> None:
        self._record("unassign", partitions)

    def pause(self, partitions: list[TopicPartition]) -> None:
        self._record("pause", partitions)

    def resume(self, partitions: list[TopicPartition]) -> None:
        self._record("resume", partitions)

    def close(self) -> None:
        self._fail("close")
        self.closed = True

    def calls_of(self, name: str) -> list[list[Offset]]:
        """The non-empty calls of a method."""
        return [offsets for called, offsets in self.calls if called == name and offsets]

    def _record(self, name: str, partitions: Sequence[TopicPartition]) -> None:
        self.calls.append((name, [(partition.partition, partition.offset) for partition in partitions]))

    def _fail(self, name: str) -> None:
        if self.failing.get(name):
            raise self.failing[name].pop(0)


def kafka_error(code: int = KafkaError._TRANSPORT) -> KafkaException:
    return KafkaException(KafkaError(code))
