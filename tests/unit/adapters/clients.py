"""Real clients that reach nothing: each call ends in the error, or the answer, that a test gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters.aws import Aws


def client_error(code: str, status: int = 400, operation: str = "Call", **fields: Any) -> ClientError:
    """What botocore raises for an answer that is an error."""
    response: dict[str, Any] = {
        "Error": {"Code": code, "Message": "because"}, "ResponseMetadata": {"HTTPStatusCode": status}, **fields,
    }  # fmt: skip
    return ClientError(response, operation)  # type: ignore[arg-type]


@contextmanager
def clients() -> Iterator[Aws]:
    """Clients with credentials of no use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "none")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        patch.delenv("AWS_PROFILE", raising=False)
        aws = Aws("eu-central-1", threads=3)
        made: list[Any] = [aws.dynamodb, aws.s3, aws.secretsmanager, aws.cloudwatch]
    yield aws
    aws.pool.shutdown()
    for client in made:
        client.close()


def fails(client: Any, *errors: Exception) -> list[dict[str, Any]]:
    """Let the next calls end in these errors, and those after them in the last one; what was asked is noted."""
    asked: list[dict[str, Any]] = []

    def call(params: dict[str, Any], **_: object) -> None:
        asked.append(params)
        raise errors[min(len(asked), len(errors)) - 1]

    client.meta.events.register("before-call", call, unique_id="fails")
    return asked
