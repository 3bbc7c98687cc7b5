"""The event that an event source mapping for MSK hands to a function.

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

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one invocation gets: per partition a run of records in offset order, none of them empty."""

    topic: str
    runs: dict[int, list[Message]]

    def __len__(self) -> int:
        return sum(map(len, self.runs.values()))

    def next_offsets(self) -> dict[int, int]:
        """What to commit per partition once this batch is over with."""
        return {partition: offset(run[-1]) + 1 for partition, run in self.runs.items()}

    def oldest(self) -> int:
        """The oldest record's timestamp in milliseconds since 1970."""
        return min(timestamp(record) for run in self.runs.values() for record in run)

    def named(self) -> dict[str, list[Message]]:
        """The runs under the names that AWS gives them, "topic-partition"."""
        return {f"{self.topic}-{partition}": run for partition, run in self.runs.items()}


def batch_of(topic: str, records: Iterable[Message]) -> Batch:
    """Sort consumed records by partition, keeping their order."""
    runs: dict[int, list[Message]] = {}
    for partition, run in groupby(records, partition_of):
        runs.setdefault(partition, []).extend(run)
    return Batch(topic, runs)


def payload(batch: Batch, arn: str, bootstrap: str) -> bytes:
    """The event as JSON; `arn` names the cluster, `bootstrap` is "host:port,host:port"."""
    event = {
        "eventSource": "aws:kafka",
        "eventSourceArn": arn,
        "bootstrapServers": bootstrap,
        "records": {name: [_record(record) for record in run] for name, run in batch.named().items()},
    }
    return json.dumps(event, separators=(",", ":")).encode()


def size_bound(record: Message) -> int:
    """At least the bytes of JSON that this record adds to an event; exact would cost another json.dumps."""
    key, headers = record.key(), record.headers()
    size = 224 + 2 * len(record.topic() or "") + len(record) * 4 // 3 + 4  # 224: names, numbers, "topic-partition"
    if key:
        size += len(key) * 4 // 3 + 4
    if headers:
        size += sum(16 + 6 * len(name.encode()) + 5 * len(value or b"") for name, value in headers_of(record))
    return size


def partition_of(record: Message) -> int:
    """A consumed record always has one; the client's types cannot say so."""
    return cast("int", record.partition())


def offset(record: Message) -> int:
    """A consumed record always has one; the client's types cannot say so."""
    return cast("int", record.offset())


def timestamp(record: Message) -> int:
    """Milliseconds since 1970."""
    return record.timestamp()[1]


def headers_of(record: Message) -> list[tuple[str, bytes | None]]:
    """In order, with repetitions."""
    return cast("list[tuple[str, bytes | None]]", record.headers() or [])


def _record(record: Message) -> Record:
    kind, at = record.timestamp()
    key, value = record.key(), record.value()
    form: Record = {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp": at,
        "timestampType": TIMESTAMP_TYPES[kind],
        "value": None if value is None else b64encode(value).decode(),
        "headers": [{name: _signed(value)} for name, value in headers_of(record)],
    }
    if key is not None:
        form["key"] = b64encode(key).decode()
    return form


def _signed(value: bytes | None) -> list[int]:
    return memoryview(value or b"").cast("b").tolist()
