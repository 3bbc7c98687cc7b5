"""The AWS emulator, started: the features that settlement needs, and that no request bypasses it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from sandbox.aws import LocalAws
from tests.integration.waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

WHERE = """
import json, boto3
clients = [boto3.client(name) for name in ("sts", "s3", "dynamodb", "sqs", "kafka", "lambda")]
account = clients[0].get_caller_identity()["Account"]
print(json.dumps([sorted({client.meta.endpoint_url for client in clients}), account]))
"""
HOLD = """
import time
from sandbox.aws import LocalAws
from tests.integration.waiting import eventually
aws = LocalAws()
print(aws.endpoint, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as emulator:
        yield emulator


@pytest.fixture
def environment(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def s3(environment: None) -> "S3Client":
    client = boto3.Session().client("s3")
    client.create_bucket(Bucket="lake")
    return client


@pytest.fixture
def sqs(environment: None) -> "SQSClient":
    return boto3.Session().client("sqs")


@pytest.fixture
def dynamodb(environment: None, request: pytest.FixtureRequest) -> "DynamoDBClient":
    client = boto3.Session().client("dynamodb")
    client.create_table(
        TableName="counters", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("key", "at")],
    )  # fmt: skip
    request.addfinalizer(lambda: client.delete_table(TableName="counters"))  # noqa: PT021 - the client is what is returned
    return client


def add(key: str, condition: str = "attribute_exists(#n) OR attribute_not_exists(#n)") -> "TransactWriteItemTypeDef":
    return {
        "Update": {
            "TableName": "counters", "Key": {"key": {"S": key}, "at": {"S": "noon"}},
            "UpdateExpression": "ADD #n :one", "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#n": "n"}, "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }  # fmt: skip


def counted(dynamodb: "DynamoDBClient") -> dict[str, int]:
    return {item["key"]["S"]: int(item["n"]["N"]) for item in dynamodb.scan(TableName="counters")["Items"]}


def test_an_object_is_put_only_if_absent_and_every_method_keeps_its_connection(s3: "S3Client") -> None:
    s3.put_object(Bucket="lake", Key="a", Body=b"first" * 100_000, IfNoneMatch="*", Metadata={"range": "0-9"})
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="lake", Key="a", Body=b"second", IfNoneMatch="*")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    head = s3.head_object(Bucket="lake", Key="a")
    assert (head["ContentLength"], head["Metadata"]) == (500_000, {"range": "0-9"})
    assert s3.get_object(Bucket="lake", Key="a")["Body"].read() == b"first" * 100_000
    assert s3.delete_object(Bucket="lake", Key="a")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "Contents" not in s3.list_objects_v2(Bucket="lake")


def test_of_many_writers_one_puts_the_object(s3: "S3Client") -> None:
    def put(writer: int) -> bool:
        try:
            s3.put_object(Bucket="lake", Key="raced", Body=b"%d" % writer, IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(put, range(24))) == 1


def test_a_cancelled_transaction_leaves_no_trace(dynamodb: "DynamoDBClient") -> None:
    dynamodb.transact_write_items(TransactItems=[add("a"), add("b")])
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as cancelled:
        dynamodb.transact_write_items(TransactItems=[add("a"), add("c"), add("b", "attribute_not_exists(#n)")])
    assert [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]][2] == "ConditionalCheckFailed"
    assert counted(dynamodb) == {"a": 1, "b": 1}


def test_a_cancelled_transaction_undoes_no_other_writes(dynamodb: "DynamoDBClient") -> None:
    def commit(_: int) -> None:
        dynamodb.transact_write_items(TransactItems=[add("ours"), *(add(f"ours-{i}") for i in range(5))])

    def cancel(_: int) -> None:
        items = [*(add(f"x{i}") for i in range(10)), add("y", "attribute_exists(#n)")]
        # Not the client's own class: botocore may create it twice, when two threads are the first to read it.
        with pytest.raises(ClientError, match="TransactionCanceledException"):
            dynamodb.transact_write_items(TransactItems=items)

    with ThreadPoolExecutor(2) as committing, ThreadPoolExecutor(2) as cancelling:
        done = [*committing.map(commit, range(60)), *cancelling.map(cancel, range(60))]
    assert len(done) == 120
    assert counted(dynamodb) == {"ours": 60} | {f"ours-{i}": 60 for i in range(5)}


def test_a_bucket_notifies_a_queue_while_others_wait_on_it(s3: "S3Client", sqs: "SQSClient") -> None:
    url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="lake", NotificationConfiguration=configuration)  # type: ignore[arg-type]
    sqs.purge_queue(QueueUrl=url)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        time.sleep(0.2)
        s3.put_object(Bucket="lake", Key="letter", Body=b"dead")
        (message,) = waiting.result()["Messages"]
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] == "letter"


def test_any_process_under_the_environment_reaches_only_the_emulator(aws: LocalAws) -> None:
    developer = {
        "AWS_PROFILE": "production", "AWS_ENDPOINT_URL_S3": "http://192.0.2.1", "HTTP_PROXY": "http://192.0.2.1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_USE_FIPS_ENDPOINT": "true",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", WHERE], env=os.environ | developer | aws.environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == [[aws.endpoint], "123456789012"]


def test_it_ends_with_a_parent_that_was_killed(environment: None, tmp_path: Path) -> None:
    clean = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", HOLD], env=clean, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        client = boto3.Session().client("sqs", endpoint_url=parent.stdout.readline().strip())
        client.list_queues()
        parent.kill()
    eventually(lambda: refuses(client))


def refuses(client: "SQSClient") -> bool:
    try:
        client.list_queues()
    except (ConnectionClosedError, EndpointConnectionError) as error:
        return isinstance(error, EndpointConnectionError)
    return False
