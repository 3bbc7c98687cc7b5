"""The pipelines of docs/examples in a stage: the tables, functions and mappings that their declarations need."""

from pathlib import Path
from typing import Any

import pytest

import docs.examples
from functions import registry
from functions.core.names import counters_table, rows_table, seen_table
from tests.infrastructure.conftest import PLACE, ROOT, Templates, synthesise

NAMES = sorted(path.stem for path in (ROOT / "docs" / "examples").glob("*.py"))
KEYS = {
    "order-lines": [("order_id", "S", "HASH"), ("line", "N", "RANGE")],
    "customers": [("tenant", "S", "HASH"), ("id", "N", "RANGE")],
    "last-reading": [("device", "S", "HASH"), ("sensor", "S", "RANGE")],
}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    pipelines = {name: registry.load(name, docs.examples) for name in NAMES}
    secret = {"arn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:stock-AbCdEf"}
    stage = PLACE | {"kafka": {"kind": "serverless"}, "eks": {"kind": "none"}, "sinks": {"stock": secret}}
    return synthesise(Path(tmp_path_factory.mktemp("examples")), {"shop": stage}, pipelines)


def tables(examples: Templates) -> dict[str, Any]:
    found = examples.resources("shop", "stores", "AWS::DynamoDB::GlobalTable")
    return {each["Properties"]["TableName"]: each["Properties"] for each in found.values()}


def test_composite_keys_are_partition_and_sort_keys(examples: Templates) -> None:
    for name, expected in KEYS.items():
        table = tables(examples)[rows_table("shop", name)]
        types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
        keys = [(each["AttributeName"], types[each["AttributeName"]], each["KeyType"]) for each in table["KeySchema"]]
        assert keys == expected


def test_only_history_has_a_column_of_deletes(examples: Templates) -> None:
    found = examples.resources("shop", "analytics", "AWS::Glue::Table").values()
    inputs = {each["Properties"]["TableInput"]["Name"]: each["Properties"]["TableInput"] for each in found}
    columns = {name: [each["Name"] for each in table["StorageDescriptor"]["Columns"]] for name, table in inputs.items()}
    assert {name for name in columns if "_deleted" in columns[name]} == {"customers"}
    assert columns["customers"][-1] == "_deleted"


def test_rows_expire_only_where_it_is_declared(examples: Templates) -> None:
    expiring = {name for name in KEYS if "TimeToLiveSpecification" in tables(examples)[rows_table("shop", name)]}
    assert expiring == {"order-lines", "last-reading"}
    assert tables(examples)[counters_table("shop")]["TimeToLiveSpecification"] == {
        "AttributeName": "expires", "Enabled": True,
    }  # fmt: skip


def test_dedup_has_a_table_and_only_its_pipeline_may_write_its_own_events_there(examples: Templates) -> None:
    table = tables(examples)[seen_table("shop")]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("event", "HASH")]
    statements = [
        statement
        for role in examples.resources("shop", "lambda", "AWS::IAM::Role").values()
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "Seen"
    ]
    own = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["telemetry#*"]}}
    assert [(each["Action"], each["Condition"]) for each in statements] == [("dynamodb:PutItem", own)]


def test_every_example_has_a_mapping_of_its_topic(examples: Templates) -> None:
    mappings = examples.resources("shop", "lambda", "AWS::Lambda::EventSourceMapping").values()
    topics = sorted(topic for each in mappings for topic in each["Properties"]["Topics"])
    assert topics == sorted(registry.load(name, docs.examples).topic for name in NAMES)
