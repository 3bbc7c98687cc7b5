"""The event that an event source mapping for MSK passes to a function.

Follows AWS, "Using Lambda with Amazon MSK" (the example event) and "Amazon MSK event source mapping in Lambda":
`records` holds lists by "topic-partition"; keys and values are base64; header values are arrays of signed bytes.

Undocumented, so chosen here: a record without a key has no `key`, a tombstone has a null `value` (handlers must take
either form for both, and so meet both here); a header without a value has an empty array; the limit of "6 MB" is
6 * 1024 * 1024 bytes of JSON.
"""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, cast

from confluent_kafka import Message

PAYLOAD_LIMIT: Final = 6 * 1024 * 1024  # bytes
TIMESTAMP_TYPES: Final = {0: "NO_TIMESTAMP_TYPE", 1: "CREATE_TIME", 2: "LOG_APPEND_TIME"}

RecordJson = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """The records of one invocation: per partition a run in offset order, none of them empty."""

    topic: str
    runs: dict[int, list[Message]]

    def __len__(self) -> int:
        return sum(map(len, self.runs.values()))

    def next_offsets(self) -> dict[int, int]:
        """Return what to commit per partition when this batch has ended."""
        return {partition: offset(run[-1]) + 1 for partition, run in self.runs.items()}

    def oldest(self) -> int:
        """Return the oldest record's timestamp, in milliseconds since 1970."""
        return min(timestamp(record) for run in self.runs.values() for record in run)

    def named(self) -> dict[str, list[Message]]:
        """Return the runs by AWS's names, "topic-partition"."""
        return {f"{self.topic}-{partition}": run for partition, run in self.runs.items()}


def batch_of(topic: str, records: Iterable[Message]) -> RecordBatch:
    """Group consumed records by partition, in their order."""
    runs: dict[int, list[Message]] = {}
    for partition, run in groupby(records, partition_of):
        runs.setdefault(partition, []).extend(run)
    return RecordBatch(topic, runs)


def payload(batch: RecordBatch, arn: str, bootstrap: str) -> bytes:
    """Return the event as JSON; `arn` names the cluster, `bootstrap` is "host:port,host:port"."""
    event = {
        "eventSource": "aws:kafka",
        "eventSourceArn": arn,
        "bootstrapServers": bootstrap,
        "records": {name: [_record(record) for record in run] for name, run in batch.named().items()},
    }
    return json.dumps(event, separators=(",", ":")).encode()


def size_bound(record: Message) -> int:
    """Return an upper bound of the bytes of JSON that a record adds to an event, without another json.dumps."""
    key, headers = record.key(), record.headers()
    size = 224 + 2 * len(record.topic() or "") + len(record) * 4 // 3 + 4  # 224: names, numbers, "topic-partition"
    if key:
        size += len(key) * 4 // 3 + 4
    if headers:
        size += sum(16 + 6 * len(name.encode()) + 5 * len(value or b"") for name, value in headers_of(record))
    return size


def partition_of(record: Message) -> int:
    """Return the partition, which a consumed record always has, unlike the client's types say."""
    return cast("int", record.partition())


def offset(record: Message) -> int:
    """Return the offset, which a consumed record always has, unlike the client's types say."""
    return cast("int", record.offset())


def timestamp(record: Message) -> int:
    """Return milliseconds since 1970."""
    return record.timestamp()[1]


def headers_of(record: Message) -> list[tuple[str, bytes | None]]:
    """Return the headers, in order and with repetitions."""
    return cast("list[tuple[str, bytes | None]]", record.headers() or [])


def _record(record: Message) -> RecordJson:
    timestamp_type, milliseconds = record.timestamp()
    key, value = record.key(), record.value()
    fields: RecordJson = {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp": milliseconds,
        "timestampType": TIMESTAMP_TYPES[timestamp_type],
        "value": None if value is None else b64encode(value).decode(),
        "headers": [{name: _signed(value)} for name, value in headers_of(record)],
    }
    if key is not None:
        fields["key"] = b64encode(key).decode()
    return fields


def _signed(value: bytes | None) -> list[int]:
    return memoryview(value or b"").cast("b").tolist()
