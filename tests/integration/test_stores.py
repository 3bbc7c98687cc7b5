"""The stores of a stage on the emulator."""

import json
from collections.abc import Iterator

import pytest

from functions.core import names
from functions.pipelines.logins import PIPELINE
from sandbox import stores
from tests.emulator import account


@pytest.fixture(params=["us-east-1", "eu-central-1"])
def client(request: pytest.FixtureRequest) -> Iterator[stores.Client]:
    with account(request.param) as empty:
        yield empty


def test_everything_is_made_and_dead_letters_are_announced(client: stores.Client) -> None:
    queue = stores.create(client, "demo", [PIPELINE], "lake", "dead-letters")
    tables = client("dynamodb").list_tables()["TableNames"]
    assert sorted(tables) == sorted(
        [names.ledger_table("demo"), names.counters_table("demo"), names.rows_table("demo", "last-login")]
    )
    client("s3").put_object(Bucket="lake", Key="a", Body=b"")
    client("s3").put_object(Bucket="dead-letters", Key="logins/b", Body=b"")
    found = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    keys = [each["s3"]["object"]["key"] for message in found for each in json.loads(message["Body"]).get("Records", [])]
    assert keys == ["logins%2Fb"]
