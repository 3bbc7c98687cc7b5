from typing import Any

import pytest

from sandbox.bench.stores.expressions import Parser, Unsupported
from sandbox.bench.stores.tables import Refused, Tables

NEWER = "attribute_not_exists(#order) OR #order < :order"


@pytest.fixture
def tables() -> Tables:
    made = Tables()
    made.call("CreateTable", {"TableName": "tandem-t-table-rows", "KeySchema": [{"AttributeName": "id"}]})
    return made


def put(order: int, key: str = "a") -> dict[str, Any]:
    return {
        "TableName": "tandem-t-table-rows",
        "Item": {"id": {"S": key}, "_order": {"N": str(order)}},
        "ConditionExpression": NEWER,
        "ExpressionAttributeNames": {"#order": "_order"},
        "ExpressionAttributeValues": {":order": {"N": str(order)}},
    }


def statement(text: str, *values: str) -> dict[str, Any]:
    return {"Statement": text, "Parameters": [{"S": value} for value in values]}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("a = :five", True),
        ("a <> :five", False),
        ("a < :five OR b = :text", True),
        ("NOT (a <= :five) OR b = :text", True),
        ("a >= :five AND attribute_exists(b) AND attribute_not_exists(c)", True),
        ("c = :five", False),  # an absent attribute meets no comparison
        ("b < :five", False),  # nor does one of another type
    ],
)
def test_conditions(expression: str, holds: bool) -> None:  # noqa: FBT001 - the expected result
    item, values = {"a": {"N": "5"}, "b": {"S": "x"}}, {":five": {"N": "5"}, ":text": {"S": "x"}}
    assert Parser(expression, {}).condition()(item, values) is holds


def test_an_update_reads_the_item_as_it_was() -> None:
    item: dict[str, Any] = {"a": {"N": "1"}, "b": {"N": "2"}, "c": {"N": "3"}}
    text = "SET #a = b, b = #a, d = if_not_exists(d, :nine), e = a + :nine REMOVE c ADD f :nine"
    Parser(text, {"#a": "a"}).update()(item, {":nine": {"N": "9"}})
    assert {name: value["N"] for name, value in item.items()} == {"a": "2", "b": "1", "d": "9", "e": "10", "f": "9"}


@pytest.mark.parametrize("expression", ["size(a) > :n", "a BETWEEN :x AND :y", "a.b = :n", "a ="])
def test_what_is_not_known_is_no_condition_that_holds(expression: str) -> None:
    with pytest.raises(Unsupported):
        Parser(expression, {}).condition()


def test_a_row_is_replaced_by_a_newer_one_only(tables: Tables) -> None:
    tables.call("PutItem", put(5))
    for order in (4, 5):
        with pytest.raises(Refused, match="conditional request failed"):
            tables.call("PutItem", put(order))
    tables.call("PutItem", put(6))
    assert tables.rows == 2


def test_a_transaction_writes_all_or_nothing(tables: Tables) -> None:
    tables.call("PutItem", put(5, "b"))
    with pytest.raises(Refused) as refused:
        tables.call("TransactWriteItems", {"TransactItems": [{"Put": put(1, "a")}, {"Put": put(4, "b")}]})
    assert refused.value.body["CancellationReasons"] == [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]
    assert "Item" not in tables.call("GetItem", {"TableName": "tandem-t-table-rows", "Key": {"id": {"S": "a"}}})


def test_each_statement_of_a_batch_has_its_own_result(tables: Tables) -> None:
    insert = "INSERT INTO \"tandem-t-table-rows\" VALUE {'id': ?, '_order': ?}"
    update = 'UPDATE "tandem-t-table-rows" SET _order=? WHERE id=? AND _order < ?'
    batch = [
        statement(insert, "a", "5"), statement(insert, "a", "6"), statement(update, "4", "a", "4"),
        statement(update, "7", "a", "7"), statement(update, "1", "absent", "1"),
    ]  # fmt: skip
    responses = tables.call("BatchExecuteStatement", {"Statements": batch})["Responses"]
    codes = [response.get("Error", {}).get("Code") for response in responses]
    assert codes == [None, "DuplicateItem", "ConditionalCheckFailed", None, "ConditionalCheckFailed"]
    assert tables.unread == 0


def test_statements_that_are_not_understood_are_counted(tables: Tables) -> None:
    tables.call("BatchExecuteStatement", {"Statements": [{"Statement": "DELETE FROM \"x\" WHERE id='a'"}]})
    assert tables.unread == 1


def test_the_position_of_a_stage_is_the_sum_of_its_partitions(tables: Tables) -> None:
    keys = [{"AttributeName": "pipeline"}, {"AttributeName": "partition"}]
    tables.call("CreateTable", {"TableName": "tandem-t-ledger", "KeySchema": keys})
    for partition in ("topic#0", "topic#1"):
        update = {
            "TableName": "tandem-t-ledger",
            "Key": {"pipeline": {"S": "p"}, "partition": {"S": partition}},
            "UpdateExpression": "SET #next = :next",
            "ExpressionAttributeNames": {"#next": "next"},
            "ExpressionAttributeValues": {":next": {"N": "21"}},
        }
        tables.call("UpdateItem", update)
    assert tables.positions("t") == 42
    assert tables.positions("another") == 0
