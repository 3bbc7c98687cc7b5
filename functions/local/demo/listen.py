"""Listening to the output topic while it is written, since not every broker keeps it all."""

import json
from datetime import datetime
from itertools import starmap
from threading import Event, Thread
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from functions.local.demo.record import Place, Row
from functions.local.demo.topics import Topic

HEADER: Final = "tandem-source"  # user-login/<partition>/<offset>
SETTINGS: Final = {"group.id": "demo-listener", "enable.auto.commit": False, "log_level": 0}
WAIT: Final = 10.0  # seconds for a question to the broker


class Listener:
    """Keeps every message's source and value."""

    def __init__(self, topic: Topic) -> None:
        self.error: Exception | None = None
        self._heard: list[tuple[bytes, bytes]] = []
        self._partitions = [TopicPartition(topic.name, number, OFFSET_BEGINNING) for number in range(topic.partitions)]
        self._consumer = Consumer({"bootstrap.servers": topic.bootstrap, **SETTINGS})
        self._consumer.assign(self._partitions)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="listen", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hear what is still in the topic, then end. Idempotent."""
        self._stopping.set()
        self._thread.join()

    def messages(self) -> list[tuple[Place, Row]]:
        """What was heard, in any order; raises what kept us from listening."""
        if self.error:
            raise self.error
        return list(starmap(told, self._heard))

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._hear(0.2)
            while not self._at_end():
                self._hear(0.2)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            self.error = error
        self._consumer.close()

    def _hear(self, seconds: float) -> None:
        for message in self._consumer.consume(1000, seconds):
            if error := message.error():
                if error.fatal():
                    raise KafkaException(error)
            else:
                self._heard.append((_source(message), message.value() or b""))

    def _at_end(self) -> bool:
        positions = self._consumer.position(self._partitions)
        ends = [self._consumer.get_watermark_offsets(at, timeout=WAIT)[1] for at in self._partitions]
        return all(max(at.offset, 0) >= end for at, end in zip(positions, ends, strict=True))


def told(source: bytes, value: bytes) -> tuple[Place, Row]:
    """What a message of the output topic says, and of which record: that is what its header HEADER is for."""
    _, partition, offset = source.split(b"/")
    row = json.loads(value)
    at = datetime.fromisoformat(row.pop("logged_in_at"))
    return (int(partition or -1), int(offset or -1)), Row(**row, at=int(at.timestamp()))


def _source(message: Message) -> bytes:
    headers: list[tuple[str, bytes]] = message.headers() or []  # type: ignore[assignment]  # never a dict, nor text
    return next((value for name, value in headers if name == HEADER), b"//")
