"""What Lambda leaves in S3 of a batch that it gave up on.

Follows AWS, "Capturing discarded batches for Amazon MSK and self-managed Apache Kafka event sources" (S3 destination
example invocation record): metadata, and the whole event as an escaped JSON string in `payload`. Offsets are strings
there. `responseContext` is null for a record above the payload limit.

Undocumented, so chosen here: object keys follow what "Retain discarded batch records for a Kinesis Data Streams event
source in Lambda" says, with "topic-partition" of the first run in place of the shard; the condition of a batch that
grew too old is that page's, too, and its `responseContext` is null if it was never sent.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from confluent_kafka import Message

from functions.local.event_source.event import Batch, offset, timestamp


class Condition(StrEnum):
    """Why a batch was given up."""

    RETRIES = "RetryAttemptsExhausted"
    TOO_LARGE = "MaximumPayloadSizeExceeded"
    TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A batch that will not be sent again. `event` is the JSON that was sent, or would have been."""

    batch: Batch
    event: bytes
    condition: Condition
    invocations: int
    at: datetime
    id: UUID


def body(given_up: GivenUp, function_arn: str, event_source_arn: str, bootstrap: str) -> bytes:
    """The object's JSON."""
    response = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    return json.dumps(
        {
            "requestContext": {
                "requestId": str(given_up.id),
                "functionArn": function_arn,
                "condition": given_up.condition,
                "approximateInvokeCount": given_up.invocations,
            },
            "responseContext": response if given_up.invocations else None,
            "version": "1.0",
            "timestamp": _instant(given_up.at),
            "KafkaBatchInfo": {
                "batchSize": len(given_up.batch),
                "eventSourceArn": event_source_arn,
                "bootstrapServers": bootstrap,
                "payloadSize": len(given_up.event),
                "recordsInfo": {name: _extent(run) for name, run in given_up.batch.named().items()},
            },
            "payload": given_up.event.decode(),
        }
    ).encode()


def key(given_up: GivenUp, mapping: UUID) -> str:
    """The object's key, sorted by day under the mapping's ID."""
    run = next(iter(given_up.batch.named()))
    return f"aws/lambda/{mapping}/{run}/{given_up.at:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{given_up.id}"


def _extent(run: list[Message]) -> dict[str, Any]:
    first, last = run[0], run[-1]
    return {
        "firstRecordOffset": str(offset(first)),
        "lastRecordOffset": str(offset(last)),
        "firstRecordTimestamp": _instant(datetime.fromtimestamp(timestamp(first) / 1000, UTC)),
        "lastRecordTimestamp": _instant(datetime.fromtimestamp(timestamp(last) / 1000, UTC)),
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
