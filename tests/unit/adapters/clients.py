"""Real clients without a server: each call ends in the error or the response that a test sets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters.aws import Aws


def client_error(
    code: str, status: int = 400, operation: str = "Call", message: str = "because", **fields: Any
) -> ClientError:
    """Return the exception that botocore raises for an error response."""
    response: dict[str, Any] = {
        "Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **fields,
    }  # fmt: skip
    return ClientError(response, operation)  # type: ignore[arg-type]


@contextmanager
def clients() -> Iterator[Aws]:
    """Clients with fake credentials."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "none")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        patch.delenv("AWS_PROFILE", raising=False)
        aws = Aws("eu-central-1", threads=3)
        created: list[Any] = [aws.dynamodb, aws.s3, aws.secretsmanager, aws.cloudwatch]
    yield aws
    aws.pool.shutdown()
    for client in created:
        client.close()


def fails(client: Any, *errors: Exception) -> list[dict[str, Any]]:
    """Let the next calls raise these errors, and later ones the last; return the calls' parameters."""
    calls: list[dict[str, Any]] = []

    def call(params: dict[str, Any], **_: object) -> None:
        calls.append(params)
        raise errors[min(len(calls), len(errors)) - 1]

    client.meta.events.register("before-call", call, unique_id="fails")
    return calls
