from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.attributes import attribute
from functions.adapters.aws import Aws
from functions.adapters.table import DynamoTable, order
from functions.core.effects import Newest, Order

NUMBERS = st.integers(-(2**63) * 1000, 2**63 * 1000)
ORDERS = st.builds(Order, NUMBERS, st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1))
ZERO = "10000000000000000000005-00000000000000000006-0000000007"


@given(ORDERS, ORDERS)
def test_an_order_as_text_compares_as_the_order(one: Order, other: Order) -> None:
    assert (order(one) < order(other)) == (one < other)
    assert len(order(one)) == len(order(other))


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
def test_a_row_is_put_unless_something_as_new_is_there(
    aws: Aws, row: dict[str, Any] | None, stored: dict[str, Any]
) -> None:
    asked = {
        "TableName": "rows", "Item": stored | {"_order": {"S": ZERO}},
        "ConditionExpression": "attribute_not_exists(#order) OR #order < :order",
        "ExpressionAttributeNames": {"#order": "_order"}, "ExpressionAttributeValues": {":order": {"S": ZERO}},
    }  # fmt: skip
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("put_item", {}, asked)
        stub.add_client_error("put_item", "ConditionalCheckFailedException")
        for _ in range(2):
            DynamoTable(aws.dynamodb, "rows", "user", aws.pool).put([Newest("u", Order(5, 6, 7), row)])
        stub.assert_no_pending_responses()
