"""Reading a topic from its beginning to its end, when writing has ended.

Another client than the reader queries the end: a client's queries wait for its own fetches.
"""

import json
import time
from collections.abc import Iterator
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from sandbox.demo.parse import HEADER, parse_message
from sandbox.demo.records import LoginRow, Place
from tests.chaos.stack import QUIET

SETTINGS: Final = QUIET | {"group.id": "chaos-reader", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
PATIENCE: Final = 240.0  # seconds without a record


def ends(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    """Return the offset after the last record, by partition, without empty ones."""
    reader = Consumer({"bootstrap.servers": bootstrap, **SETTINGS})
    try:
        found = {
            n: reader.get_watermark_offsets(TopicPartition(topic, n), timeout=PATIENCE)[1] for n in range(partitions)
        }
        return {partition: end for partition, end in found.items() if end}
    finally:
        reader.close()


def read(bootstrap: str, topic: str, partitions: int) -> Iterator[tuple[Place, Message]]:
    """Yield every record with its place. TimeoutError if records stop before the end of the log."""
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
                raise TimeoutError(f"{topic}: no more records, expected those up to {left}")
    finally:
        reader.close()


def header(message: Message, name: str) -> bytes:
    """Return the value of a header, which must exist."""
    return dict(message.headers() or ())[name]  # type: ignore[return-value]  # never a dict, nor text


def row(message: Message) -> tuple[Place, LoginRow]:
    """Return the place and row of a message of the output topic, whichever release sent it."""
    source, value = header(message, HEADER), json.loads(message.value() or b"")
    known = {name: value[name] for name in (*LoginRow._fields[:-1], "logged_in_at")}
    return parse_message(source, json.dumps(known).encode())
