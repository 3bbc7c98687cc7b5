"""The on-failure object, field by field as AWS documents it."""

import json
from datetime import UTC, datetime
from uuid import UUID

from confluent_kafka import Message

from sandbox.event_source.discarded import Condition, DiscardedBatch, body, key
from sandbox.event_source.event import batch_of, payload

AT = datetime(2026, 11, 14, 0, 38, 6, 21_000, tzinfo=UTC)
ID = UUID("316aa6d0-8154-4f0e-9af7-85d5f4a6bc81")
BATCH = batch_of(
    "t", [Message("t", p, o, value=b'"x"', timestamp=(1, 1000 * o + 7)) for p, o in ((1, 4), (1, 5), (0, 9))]
)
EVENT = payload(BATCH, "arn:c", "b:9098")


def test_the_body() -> None:
    stored = json.loads(body(DiscardedBatch(BATCH, EVENT, Condition.RETRIES, 3, AT, ID), "arn:f", "arn:c", "b:9098"))
    assert json.loads(stored.pop("payload")) == json.loads(EVENT)
    assert stored == {
        "requestContext": {
            "requestId": str(ID),
            "functionArn": "arn:f",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-11-14T00:38:06.021Z",
        "KafkaBatchInfo": {
            "batchSize": 3,
            "eventSourceArn": "arn:c",
            "bootstrapServers": "b:9098",
            "payloadSize": len(EVENT),
            "recordsInfo": {
                "t-1": {
                    "firstRecordOffset": "4",
                    "lastRecordOffset": "5",
                    "firstRecordTimestamp": "1970-01-01T00:00:04.007Z",
                    "lastRecordTimestamp": "1970-01-01T00:00:05.007Z",
                },
                "t-0": {
                    "firstRecordOffset": "9",
                    "lastRecordOffset": "9",
                    "firstRecordTimestamp": "1970-01-01T00:00:09.007Z",
                    "lastRecordTimestamp": "1970-01-01T00:00:09.007Z",
                },
            },
        },
    }


def test_what_was_never_sent_has_no_response() -> None:
    stored = json.loads(body(DiscardedBatch(BATCH, EVENT, Condition.TOO_LARGE, 0, AT, ID), "arn:f", "arn:c", "b:9098"))
    assert stored["responseContext"] is None


def test_the_key_sorts_by_day_and_names_the_run() -> None:
    mapping = UUID(int=1)
    stored = key(DiscardedBatch(BATCH, EVENT, Condition.RETRIES, 1, AT, ID), mapping)
    assert stored == f"aws/lambda/{mapping}/t-1/2026/11/14/2026-11-14T00.38.06-{ID}"
