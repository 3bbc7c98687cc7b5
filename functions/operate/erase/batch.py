"""A person's records in a batch that Lambda's event source mapping gave up on.

Source: AWS Lambda developer guide, "Capturing discarded batches for Amazon MSK and self-managed Apache Kafka event
sources": `payload` holds the event, as a JSON string in S3.
"""

import json
from binascii import a2b_base64
from typing import Any

from functions.core.erasure import Subject, is_key_of
from functions.core.errors import Corrupt


def batch_without(body: bytes, topic: str, subject: Subject) -> tuple[bytes | None, int]:
    """Return the batch without the person's records of a topic, and how many these were. None: nothing else is in it.

    Corrupt if it is no batch.
    """
    try:
        batch = json.loads(body)
        payload = batch["payload"]
        event = json.loads(payload) if isinstance(payload, str) else payload
        records = event["records"]
        left = {
            name: [record for record in of_partition if not _is_theirs(record, topic, subject)]
            for name, of_partition in records.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Corrupt(f"not a batch that was given up: {type(error).__name__}") from error
    erased = sum(map(len, records.values())) - sum(map(len, left.values()))
    if not any(left.values()):
        return None, erased
    event["records"] = {name: of_partition for name, of_partition in left.items() if of_partition}
    batch["payload"] = json.dumps(event) if isinstance(payload, str) else event
    return json.dumps(batch).encode(), erased


def _is_theirs(record: Any, topic: str, subject: Subject) -> bool:  # noqa: ANN401 - any JSON
    key = record.get("key")
    return record["topic"] == topic and is_key_of(None if key is None else a2b_base64(key), subject)
