import json
from datetime import date
from typing import Any

import pytest
from botocore.stub import Stubber

from functions.adapters.aws import Aws
from functions.adapters.counters import beginning, counter
from functions.adapters.ledger import DynamoLedger
from functions.core.effects import Count
from functions.core.errors import Corrupt, Unavailable
from functions.core.ports import Gap, Position, Source
from tests.unit.adapters.clients import client_error, fails

SOURCE = Source("logins", "user-login", 3)
KEY = {"pipeline": {"S": "logins"}, "partition": {"S": "user-login#3"}}
ITEM: dict[str, Any] = KEY | {"next": {"N": "7"}, "step": {"N": "1"}, "day": {"S": "2026-11-23"}, "newest": {"N": "-1"}}


def ledger(aws: Aws) -> DynamoLedger:
    return DynamoLedger(aws.dynamodb, "ledger", "counters")


@pytest.mark.parametrize("spoiled", [{}, ITEM | {"day": {"S": "today"}}, ITEM | {"next": {"S": "7"}}])
def test_an_item_that_is_none_of_ours_is_corrupt(aws: Aws, spoiled: dict[str, Any]) -> None:
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("get_item", {"Item": spoiled})
        with pytest.raises(Corrupt, match="its item is not a ledger's"):
            ledger(aws).read(SOURCE)


def test_open_is_one_request_even_when_all_is_settled(aws: Aws) -> None:
    with Stubber(aws.dynamodb) as stub:
        stub.add_client_error("update_item", "ConditionalCheckFailedException", modeled_fields={"Item": ITEM})
        assert ledger(aws).open(SOURCE, 1, 2, date(2026, 11, 24)) == Position(7, 1, date(2026, 11, 23), -1)


def test_advance_is_one_transaction_of_ledger_counts_and_gap(aws: Aws) -> None:
    at, to = Position(7, 1, date(2026, 11, 23), -1), Position(10, 0, None, 5)
    shard = {"counter": {"S": "per-minute?device_type=ios"}, "bucket": {"S": "2026-11-23T13:26:00Z#user-login/3"}}
    gap = {"pipeline": KEY["pipeline"], "partition": {"S": "user-login#3#gap#00000000000000000007"}}
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("transact_write_items", {}, {"TransactItems": [
            {"Update": {
                "TableName": "ledger", "Key": KEY, "ConditionExpression": "#next = :at AND #step = :of",
                "UpdateExpression": "SET #next = :next, #step = :step, #newest = :newest REMOVE #day",
                "ExpressionAttributeNames": {"#next": "next", "#step": "step", "#day": "day", "#newest": "newest"},
                "ExpressionAttributeValues": {
                    ":at": {"N": "7"}, ":of": {"N": "1"},
                    ":next": {"N": "10"}, ":step": {"N": "0"}, ":newest": {"N": "5"},
                },
            }},
            {"Update": {
                "TableName": "counters", "Key": shard, "UpdateExpression": "ADD #amount :amount SET #by = :by",
                "ExpressionAttributeNames": {"#amount": "amount", "#by": "by"},
                "ExpressionAttributeValues": {":amount": {"N": "2"}, ":by": {"M": {"device_type": {"S": "ios"}}}},
            }},
            {"Put": {"TableName": "ledger", "Item": gap | {"first": {"N": "7"}, "last": {"N": "8"}}}},
        ]})  # fmt: skip
        assert ledger(aws).advance(
            SOURCE, at, to, [Count("per-minute", "device_type=ios", 1_795_440_360, 2)], Gap(7, 8)
        )


def test_a_transaction_carries_a_token_so_that_botocore_may_repeat_it(aws: Aws) -> None:
    at = Position(7, 1, date(2026, 11, 23), -1)
    asked = fails(aws.dynamodb, client_error("InternalServerError", 500))
    for _ in range(2):
        with pytest.raises(Unavailable):
            ledger(aws).advance(SOURCE, at, at, [], None)
    assert len({json.loads(each["body"])["ClientRequestToken"] for each in asked}) == 2


def test_positions_are_all_partitions_of_a_topic_and_no_gaps(aws: Aws) -> None:
    other = ITEM | {"partition": {"S": "user-login#12"}, "next": {"N": "90"}}
    gap = KEY | {"partition": {"S": "user-login#3#gap#00000000000000000007"}, "first": {"N": "7"}, "last": {"N": "8"}}
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("query", {"Items": [other, gap], "LastEvaluatedKey": KEY})
        stub.add_response("query", {"Items": [ITEM]})
        found = ledger(aws).positions("logins", "user-login")
    assert {partition: at.next for partition, at in found.items()} == {12: 90, 3: 7}


def test_a_counters_key_reads_as_what_it_counts() -> None:
    assert counter(Count("logins", "", 0, 1)) == "logins"
    assert counter(Count("logins", "device_type=ios&locale=RU", 0, 1)) == "logins?device_type=ios&locale=RU"


def test_a_key_too_long_for_dynamodb_is_cut_and_still_its_own() -> None:
    one, other = (counter(Count("logins", "a=" + "x" * 5000 + end, 0, 1)) for end in "ab")
    assert one != other
    assert one[:1024] == other[:1024]
    assert len(one) < 2048


@pytest.mark.parametrize(
    ("bucket", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (-62_135_596_800 - 86_400, "0001-01-01T00:00:00Z"),
        (253402300799, "9999-12-31T23:59:59Z"),
    ],
)
def test_every_bucket_has_a_time(bucket: int, text: str) -> None:
    assert beginning(bucket) == text
