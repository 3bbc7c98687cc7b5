"""`tandem bench`: what it reports, not how fast anything is; and that its stores behave as an emulator of AWS does."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from boto3 import Session
from botocore.exceptions import ClientError

from sandbox.aws import LocalAws
from sandbox.bench.stores.fast_stores import FastStores

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

MEASURED = (
    "hand",
    "worker_pydantic",
    "worker_msgspec",
    "http_unique",
    "handler",
    "powertools",
    "table",
    "start",
    "profile",
)


def test_the_benchmark_reports_what_it_measures(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "functions.cli.main", "bench", "--quick", "--records", "2000", "--json"]
    only = [word for name in MEASURED for word in ("--only", name)]
    whole = [*command, *only, "--out", str(tmp_path)]
    done = subprocess.run(whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert "Tandem beside its peers" in (tmp_path / "report.html").read_text()
    for name in ("hand", "worker_pydantic", "http_unique", "handler", "table_rows", "cold_import", "first_record"):
        measured = report["measurements"][name]
        assert measured["cpu_microseconds"]["median"] > 0, measured
        assert measured["records_per_second"]["median"] > 0
        assert measured["peak_mib"]["max"] > 20
    assert report["measurements"]["http_unique"]["requests_per_1000"]["rows"] >= 1000
    assert set(report["profile_microseconds"]) == {"pydantic", "msgspec"}
    measured_ratios = {name for name, ratio in report["ratios"].items() if "skipped" not in ratio}
    assert measured_ratios >= {
        "worker_pydantic_to_hand", "table_row_to_put_item", "handler_to_powertools", "cold_import_to_usual",
    }  # fmt: skip
    assert "not selected" in report["ratios"]["worker_http_to_before"]["skipped"]


@pytest.fixture(params=[LocalAws, FastStores])
def clients(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """DynamoDB with one table, and S3 with one bucket."""
    made: AbstractContextManager[Any] = request.param()
    with made as stores:
        for variable, value in stores.environment().items():
            monkeypatch.setenv(variable, value)
        session: Any = Session()
        dynamodb, s3 = session.client("dynamodb"), session.client("s3")
        dynamodb.create_table(
            TableName="t", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        )  # fmt: skip
        s3.create_bucket(Bucket="bucket")
        yield dynamodb, s3
        dynamodb.close()
        s3.close()


def update(key: str, expression: str, condition: str, **more: Any) -> dict[str, Any]:
    values = {":n": {"N": "7"}, ":zero": {"N": "0"}}
    used = {name: value for name, value in values.items() if name in expression + condition}
    return {
        "TableName": "t", "Key": {"k": {"S": key}}, "UpdateExpression": expression, "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#n": "n"}, "ExpressionAttributeValues": used, **more,
    }  # fmt: skip


def test_the_benchmarks_stores_answer_like_an_emulator(clients: tuple[Any, Any]) -> None:
    dynamodb, s3 = clients
    create = update("a", "SET #n = if_not_exists(#n, :n)", "attribute_not_exists(#n) OR #n < :n")
    assert dynamodb.update_item(**create, ReturnValues="ALL_NEW")["Attributes"] == {"k": {"S": "a"}, "n": {"N": "7"}}
    with pytest.raises(ClientError) as failed:
        dynamodb.update_item(**create, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert failed.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert failed.value.response["Item"] == {"k": {"S": "a"}, "n": {"N": "7"}}  # type: ignore[typeddict-item]
    old = dynamodb.update_item(**update("a", "ADD #n :n", "#n = :n"), ReturnValues="ALL_OLD")
    assert old["Attributes"]["n"] == {"N": "7"}
    writes = [
        {"Update": update("b", "ADD #n :n", "attribute_not_exists(#n)")},
        {"Update": update("a", "ADD #n :n", "#n = :zero")},
    ]
    with pytest.raises(ClientError) as cancelled:
        dynamodb.transact_write_items(TransactItems=writes)
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    items = [dynamodb.get_item(TableName="t", Key={"k": {"S": key}}).get("Item") for key in "ab"]
    assert items == [{"k": {"S": "a"}, "n": {"N": "14"}}, None]
    s3.put_object(Bucket="bucket", Key="é/1", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as present:
        s3.put_object(Bucket="bucket", Key="é/1", Body=b"second", IfNoneMatch="*")
    assert present.value.response["Error"]["Code"] == "PreconditionFailed"
    assert s3.get_object(Bucket="bucket", Key="é/1")["Body"].read() == b"first"
    with pytest.raises(ClientError) as absent:
        s3.get_object(Bucket="bucket", Key="é/2")
    assert absent.value.response["Error"]["Code"] == "NoSuchKey"
