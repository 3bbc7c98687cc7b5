"""Reading a topic from its beginning to its end, when nobody writes it any more.

Where it ends is asked of a client that reads nothing: a client's questions wait behind its own fetches.
"""

import time
from collections.abc import Iterator
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from functions.local.demo.listen import HEADER, told
from functions.local.demo.record import Place, Row
from tests.chaos.ground import QUIET

SETTINGS: Final = QUIET | {"group.id": "chaos-reader", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
PATIENCE: Final = 60.0  # seconds without a record


def ends(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    """The offset behind the last record, by partition; empty ones are left out."""
    reader = Consumer({"bootstrap.servers": bootstrap, **SETTINGS})
    try:
        found = {n: reader.get_watermark_offsets(TopicPartition(topic, n), timeout=30)[1] for n in range(partitions)}
        return {partition: end for partition, end in found.items() if end}
    finally:
        reader.close()


def read(bootstrap: str, topic: str, partitions: int) -> Iterator[tuple[Place, Message]]:
    """Every record and where it lies. TimeoutError if the log does not come to its end."""
    left = ends(bootstrap, topic, partitions)
    reader = Consumer({"bootstrap.servers": bootstrap, **SETTINGS})
    reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in left])
    until = time.monotonic() + PATIENCE
    try:
        while left:
            for message in reader.consume(5000, 0.5):
                partition, offset = message.partition(), message.offset()
                if message.error() or partition is None or offset is None:
                    continue
                yield (partition, offset), message
                until = time.monotonic() + PATIENCE
                if offset + 1 >= left[partition]:
                    del left[partition]
            if time.monotonic() > until:
                raise TimeoutError(f"{topic}: nothing more came, though {left} is not reached")
    finally:
        reader.close()


def header(message: Message, name: str) -> bytes:
    """The value of a header that must be there."""
    return dict(message.headers() or ())[name]  # type: ignore[return-value]  # never a dict, nor text


def row(message: Message) -> tuple[Place, Row]:
    """What a message of the output topic says, and of which record."""
    return told(header(message, HEADER), message.value() or b"")
