"""Reading the output topic and the queue of announcements while they are written."""

import json
from itertools import starmap
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from sandbox.demo.parse import HEADER, parse_message
from sandbox.demo.records import LoginRow, Place, letter_of
from sandbox.topics import BrokerTopic

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef


NOWHERE: Final = b"logins/user-login/-1/-1/0"  # a message without the header
SETTINGS: Final = {"group.id": "demo-listener", "enable.auto.commit": False, "log_level": 0}
ANSWER_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.2


class Listener:
    """Reads the whole output topic, since not every broker keeps all of it: each message's source and value."""

    def __init__(self, topic: BrokerTopic) -> None:
        self.error: Exception | None = None
        self._messages: list[tuple[bytes, bytes]] = []
        self._partitions = [TopicPartition(topic.name, number, OFFSET_BEGINNING) for number in range(topic.partitions)]
        self._consumer = Consumer({"bootstrap.servers": topic.bootstrap, **SETTINGS})
        self._consumer.assign(self._partitions)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="listen", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read to the end of the topic, then stop. Idempotent."""
        self._stopping.set()
        self._thread.join()

    def messages(self) -> list[tuple[Place, LoginRow]]:
        """Return the place and row of each message of logins, in any order; raises what stopped the thread."""
        return list(starmap(parse_message, self.raw()))

    def raw(self) -> list[tuple[bytes, bytes]]:
        """Return the source and the value of each message, in any order; raises what stopped the thread."""
        if self.error:
            raise self.error
        return self._messages

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._read(POLL_SECONDS)
            while not self._at_end():
                self._read(POLL_SECONDS)
        except Exception as error:  # noqa: BLE001 - raised where the result is read
            self.error = error
        self._consumer.close()

    def _read(self, seconds: float) -> None:
        for message in self._consumer.consume(1000, seconds):
            if error := message.error():
                if error.fatal():
                    raise KafkaException(error)
            else:
                self._messages.append((_source(message), message.value() or b""))

    def _at_end(self) -> bool:
        positions = self._consumer.position(self._partitions)
        ends = [
            self._consumer.get_watermark_offsets(partition, timeout=ANSWER_SECONDS)[1] for partition in self._partitions
        ]
        return all(max(position.offset, 0) >= end for position, end in zip(positions, ends, strict=True))


def _source(message: Message) -> bytes:
    headers: list[tuple[str, bytes]] = message.headers() or []  # type: ignore[assignment]  # never a dict, nor text
    return next((value for name, value in headers if name == HEADER), NOWHERE)


MAX_MESSAGES: Final = 10  # SQS's limit
RECEIVE_SECONDS: Final = 1


class Announcements:
    """Reads the queue in which the bucket announces every dead letter, as an alarm would, and deletes what it read."""

    def __init__(self, sqs: "SQSClient", queue: str) -> None:
        self.error: Exception | None = None
        self._announced: set[tuple[Place, str]] = set()
        self._sqs, self._queue = sqs, queue
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="announcements", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read what is still in the queue, then stop. Idempotent."""
        self._stopping.set()
        self._thread.join()

    def letters(self) -> set[tuple[Place, str]]:
        """Return the place and reason of every announced dead letter; raises the error that stopped the thread."""
        if self.error:
            raise self.error
        return self._announced

    def _run(self) -> None:
        try:
            while self._read() or not self._stopping.is_set():
                pass
        except Exception as error:  # noqa: BLE001 - raised where the result is read
            self.error = error

    def _read(self) -> bool:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=MAX_MESSAGES, WaitTimeSeconds=RECEIVE_SECONDS
        )
        messages = answer.get("Messages", [])
        for message in messages:
            records = json.loads(message["Body"]).get("Records", [])  # a test event has none
            self._announced |= {letter_of(record["s3"]["object"]["key"]) for record in records}
        if messages:
            self._delete([message["ReceiptHandle"] for message in messages])
        return bool(messages)

    def _delete(self, handles: list[str]) -> None:
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)
        ]
        self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
