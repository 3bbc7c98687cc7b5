"""The announcements of a run's dead letters, in the queue that the stage's alarm watches. Those of others stay."""

import json
from time import monotonic
from typing import Any, Final
from urllib.parse import unquote_plus

from botocore.session import Session

from functions.core.names import dead_letter_queue
from sandbox.demo.records import Place, Produced, letter_of
from sandbox.smoke.target import Target

MAX_MESSAGES: Final = 10  # SQS's limit
HIDDEN_SECONDS: Final = 20  # after which others see a message again that was received and not deleted
PATIENCE_SECONDS: Final = 60.0


def announced(target: Target, produced: Produced, expected: int) -> set[tuple[Place, str]]:
    """Return place and reason of the run's letters, and delete these messages; waits until `expected` are found."""
    client: Any = Session().create_client("sqs", region_name=target.settings.region)
    queue = client.get_queue_url(QueueName=dead_letter_queue(target.settings.stage))["QueueUrl"]
    found: set[tuple[Place, str]] = set()
    deadline = monotonic() + PATIENCE_SECONDS
    while len(found) < expected and monotonic() < deadline:
        answer = client.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=MAX_MESSAGES, WaitTimeSeconds=1, VisibilityTimeout=HIDDEN_SECONDS
        )
        for message in answer.get("Messages", []):
            letters = _letters(message["Body"], target.source, produced)
            if letters:
                client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found |= letters
    return found


def _letters(body: str, topic: str, produced: Produced) -> set[tuple[Place, str]]:
    """Return the letters that a message announces, if all of them are of the run. S3 sends one a message."""
    keys = [unquote_plus(record["s3"]["object"]["key"]) for record in json.loads(body).get("Records", [])]
    if not all("/reason=" in key and f"/{topic}-" in key for key in keys):
        return set()
    letters = {letter_of(key) for key in keys}
    return letters if all(place in produced for place, _ in letters) else set()
