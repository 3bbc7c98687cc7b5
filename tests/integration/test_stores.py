"""The stores of a stage on the emulator."""

import json
from collections.abc import Iterator

import boto3
import pytest

from functions.core import names
from functions.local import stores
from functions.local.aws import LocalAws
from functions.pipelines.logins import PIPELINE


@pytest.fixture(params=["us-east-1", "eu-central-1"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[stores.Client]:
    with LocalAws(request.param) as emulator:
        for variable, value in emulator.environment().items():
            monkeypatch.setenv(variable, value)
        made = {name: boto3.Session().client(name) for name in ("dynamodb", "s3", "sqs")}
        yield made.__getitem__
        for each in made.values():
            each.close()


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
