"""Reading the queue in which the bucket announces every dead letter, as an alarm or a ticket robot would."""

import json
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from functions.local.demo.found import letter_of
from functions.local.demo.record import Place

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef

AT_ONCE: Final = 10  # messages: the most that SQS gives
WAIT: Final = 1  # seconds


class Announcements:
    """Reads from the moment it is made; what was read is deleted, so the queue stays short."""

    def __init__(self, sqs: "SQSClient", queue: str) -> None:
        self.error: Exception | None = None
        self._announced: set[tuple[Place, str]] = set()
        self._sqs, self._queue = sqs, queue
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="announcements", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read what is still in the queue, then end. Idempotent."""
        self._stopping.set()
        self._thread.join()

    def letters(self) -> set[tuple[Place, str]]:
        """The place and reason of every dead letter that was announced; raises what kept us from reading."""
        if self.error:
            raise self.error
        return self._announced

    def _run(self) -> None:
        try:
            while self._read() or not self._stopping.is_set():
                pass
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise it to
            self.error = error

    def _read(self) -> bool:
        got = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=AT_ONCE, WaitTimeSeconds=WAIT)
        messages = got.get("Messages", [])
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
