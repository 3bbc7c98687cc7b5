"""The S3 object that Lambda writes for a batch that it gave up.

Follows AWS, "Capturing discarded batches for Amazon MSK and self-managed Apache Kafka event sources" (S3 destination
example invocation record): metadata, and the whole event as an escaped JSON string in `payload`. Offsets are strings
there. `responseContext` is null for a record above the payload limit.

Undocumented, so chosen here: object keys follow what "Retain discarded batch records for a Kinesis Data Streams event
source in Lambda" says, with "topic-partition" of the first run instead of the shard; the condition of a batch that
is too old is from that page too, and its `responseContext` is null if it was never sent.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from confluent_kafka import Message

from sandbox.event_source.event import RecordBatch, offset, timestamp


class Condition(StrEnum):
    """Why a batch was given up."""

    RETRIES = "RetryAttemptsExhausted"
    TOO_LARGE = "MaximumPayloadSizeExceeded"
    TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class DiscardedBatch:
    """A batch that is not sent again. `event` is the JSON that was sent, or would have been."""

    batch: RecordBatch
    event: bytes
    condition: Condition
    invocations: int
    time: datetime
    id: UUID


def body(discarded: DiscardedBatch, function_arn: str, event_source_arn: str, bootstrap: str) -> bytes:
    """Return the object's JSON."""
    response = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    return json.dumps(
        {
            "requestContext": {
                "requestId": str(discarded.id),
                "functionArn": function_arn,
                "condition": discarded.condition,
                "approximateInvokeCount": discarded.invocations,
            },
            "responseContext": response if discarded.invocations else None,
            "version": "1.0",
            "timestamp": _instant(discarded.time),
            "KafkaBatchInfo": {
                "batchSize": len(discarded.batch),
                "eventSourceArn": event_source_arn,
                "bootstrapServers": bootstrap,
                "payloadSize": len(discarded.event),
                "recordsInfo": {name: _extent(run) for name, run in discarded.batch.named().items()},
            },
            "payload": discarded.event.decode(),
        }
    ).encode()


def key(discarded: DiscardedBatch, mapping: UUID) -> str:
    """Return the object's key, sorted by day under the mapping's ID."""
    run = next(iter(discarded.batch.named()))
    return f"aws/lambda/{mapping}/{run}/{discarded.time:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{discarded.id}"


def _extent(run: list[Message]) -> dict[str, Any]:
    first, last = run[0], run[-1]
    return {
        "firstRecordOffset": str(offset(first)),
        "lastRecordOffset": str(offset(last)),
        "firstRecordTimestamp": _instant(datetime.fromtimestamp(timestamp(first) / 1000, UTC)),
        "lastRecordTimestamp": _instant(datetime.fromtimestamp(timestamp(last) / 1000, UTC)),
    }


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
