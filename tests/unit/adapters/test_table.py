from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.attributes import attribute
from functions.adapters.aws import Aws
from functions.adapters.table import DynamoTable, order_text
from functions.core.effects import Newest, Order
from functions.core.errors import Refused
from functions.core.ports import Refusal
from tests.unit.adapters.clients import client_error, fails

NUMBERS = st.integers(-(2**63) * 1000, 2**63 * 1000)
ORDERS = st.builds(Order, NUMBERS, st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1), st.integers(0, 999))
ZERO = "10000000000000000000005-00000000000000000006-0000000007-000000"


@given(ORDERS, ORDERS)
def test_text_of_orders_compares_like_the_orders(one: Order, other: Order) -> None:
    assert (order_text(one) < order_text(other)) == (one < other)
    assert len(order_text(one)) == len(order_text(other))


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, {"NULL": True}),
        (True, {"BOOL": True}),
        (-(2**63), {"N": "-9223372036854775808"}),
        (Decimal("-12.30"), {"N": "-12.30"}),
        (0.1, {"N": "0.1"}),
        (0.0, {"N": "0.0"}),
        (9.99e125, {"N": "9.99e+125"}),
        (1e126, {"S": "1e+126"}),
        (-5e-324, {"S": "-5e-324"}),
        (float("nan"), {"S": "nan"}),
        (float("-inf"), {"S": "-inf"}),
        ("", {"S": ""}),
        (datetime(2026, 11, 23, 1, tzinfo=UTC), {"S": "2026-11-23T01:00:00.000000Z"}),
        (datetime(2026, 11, 23, 1, tzinfo=timezone(timedelta(hours=2))), {"S": "2026-11-22T23:00:00.000000Z"}),
        (date(2026, 11, 23), {"S": "2026-11-23"}),
        (UUID(int=1), {"S": "00000000-0000-0000-0000-000000000001"}),
        ([1, None], {"L": [{"N": "1"}, {"NULL": True}]}),
        ({"a": {"b": []}}, {"M": {"a": {"M": {"b": {"L": []}}}}}),
    ],
)
def test_every_kind_of_value_has_an_attribute(value: object, stored: dict[str, Any]) -> None:
    assert attribute(value) == stored


@pytest.mark.parametrize(
    ("row", "stored"),
    [
        ({"user": "u", "n": 1}, {"user": {"S": "u"}, "n": {"N": "1"}}),
        (None, {"user": {"S": "u"}, "_deleted": {"BOOL": True}}),
    ],
)
def test_a_row_is_put_unless_one_as_new_exists(aws: Aws, row: dict[str, Any] | None, stored: dict[str, Any]) -> None:
    expected = {
        "TableName": "rows", "Item": stored | {"_order": {"S": ZERO}},
        "ConditionExpression": "attribute_not_exists(#order) OR #order < :order",
        "ExpressionAttributeNames": {"#order": "_order"}, "ExpressionAttributeValues": {":order": {"S": ZERO}},
    }  # fmt: skip
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("put_item", {}, expected)
        stub.add_client_error("put_item", "ConditionalCheckFailedException")
        for _ in range(2):
            DynamoTable(aws.item_puts, "rows", ("user",)).put([Newest(("u",), Order(5, 6, 7), row)])
        stub.assert_no_pending_responses()


def put(aws: Aws, *keys: str) -> Sequence[Refusal]:
    return DynamoTable(aws.item_puts, "t", ("user",)).put([Newest((key,), Order(5, 6, 7), None) for key in keys])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Item size has exceeded the maximum allowed size"),
        ("ValidationException", "One or more parameter values are not valid"),
        ("ItemCollectionSizeLimitExceededException", "Collection size exceeded"),
    ],
)
def test_an_error_about_one_row_is_its_refusal(aws: Aws, code: str, message: str) -> None:
    fails(aws.dynamodb, ClientError({"Error": {"Code": code, "Message": message}}, "PutItem"))
    assert put(aws, "a", "b") == [Refusal(0, message), Refusal(1, message)]


@pytest.mark.parametrize(
    "message",
    [
        "The provided key element does not match the schema",
        "One of the required keys was not given a value: Missing the key user in the item",
        "One or more parameter values were invalid: Type mismatch for key user expected: N actual: S",
    ],
)
def test_an_error_about_every_row_of_a_table_stops(aws: Aws, message: str) -> None:
    fails(aws.dynamodb, ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "PutItem"))
    with pytest.raises(Refused, match=f"table t: PutItem: ValidationException: {message}"):
        put(aws, "a", "b")


def test_a_row_that_is_older_than_the_stored_one_is_settled(aws: Aws) -> None:
    fails(aws.dynamodb, client_error("ConditionalCheckFailedException"))
    assert put(aws, "a") == []
