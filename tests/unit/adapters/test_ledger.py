import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from botocore.stub import Stubber

from functions.adapters.aws import Aws
from functions.adapters.counters import adds, bucket_start, counter
from functions.adapters.ledger import DynamoLedger
from functions.core.effects import Count
from functions.core.errors import Corrupt, Refused, Unavailable
from functions.core.intent import Gap
from functions.core.ports import DurableStop, Opening, Position, Source, StopReason, Suspect
from tests.unit.adapters.clients import client_error, fails

SOURCE = Source("logins", "user-login", 3)
KEY = {"pipeline": {"S": "logins"}, "partition": {"S": "user-login#3"}}
ITEM: dict[str, Any] = KEY | {"next": {"N": "7"}, "step": {"N": "1"}, "day": {"S": "2026-11-23"}, "newest": {"N": "-1"}}


NAMES = ("next", "step", "newest", "clock", "window", "suspect", "day", "object", "owner", "stop", "fence")


def ledger(aws: Aws) -> DynamoLedger:
    return DynamoLedger(aws.dynamodb, "ledger", "counters")


STOP: dict[str, Any] = {"M": {
    "reason": {"S": "flood"}, "detail": {"S": "why"}, "first": {"N": "7"}, "last": {"N": "9"}, "at": {"N": "1"},
    "newest": {"N": "-1"},
}}  # fmt: skip
SPOILED: list[dict[str, Any]] = [
    {}, ITEM | {"day": {"S": "today"}}, ITEM | {"next": {"S": "7"}}, ITEM | {"object": {"S": "yes"}},
    ITEM | {"suspect": {"M": {"end": {"N": "9"}}}}, ITEM | {"suspect": {"M": {"size": {"S": "9"}, "end": {"N": "9"}}}},
    ITEM | {"stop": {"M": STOP["M"] | {"reason": {"S": "mood"}}}}, ITEM | {"stop": {"M": {"reason": {"S": "flood"}}}},
    ITEM | {"window": {"L": [{"L": [{"N": "1"}]}]}}, ITEM | {"accepted": {"S": "7"}}, ITEM | {"topic_id": {"N": "7"}},
]  # fmt: skip


def test_all_attributes_are_read_and_unknown_ones_are_left_alone(aws: Aws) -> None:
    full = ITEM | {
        "object": {"BOOL": False}, "owner": {"S": "me"}, "accepted": {"N": "8"}, "topic_id": {"S": "id"}, "stop": STOP,
        "suspect": {"M": {"end": {"N": "9"}, "size": {"N": "3"}, "alone": {"L": [{"S": "me"}]}}}, "later": {"S": "?"},
        "window": {"L": [{"L": [{"N": "5"}, {"N": "2"}]}]},
    }  # fmt: skip
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("get_item", {"Item": full})
        assert ledger(aws).read(SOURCE) == Position(
            7, 1, date(2026, 11, 23), -1, has_object=False, owner="me", suspect=Suspect(9, 3, ("me",)),
            stop=DurableStop(StopReason.FLOOD, "why", 7, 9, 1), accepted=8, window=((5, 2),), topic_id="id",
        )  # fmt: skip


@pytest.mark.parametrize("spoiled", SPOILED)
def test_an_item_that_is_none_of_ours_is_corrupt(aws: Aws, spoiled: dict[str, Any]) -> None:
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("get_item", {"Item": spoiled})
        with pytest.raises(Corrupt, match="the item in the ledger's table is not a position"):
            ledger(aws).read(SOURCE)


def test_open_is_one_request_even_when_all_is_settled(aws: Aws) -> None:
    with Stubber(aws.dynamodb) as stub:
        stub.add_client_error("update_item", "ConditionalCheckFailedException", modeled_fields={"Item": ITEM})
        opening = Opening(date(2026, 11, 24), has_object=True, owner="me")
        assert ledger(aws).open(SOURCE, 1, 2, opening) == (Position(7, 1, date(2026, 11, 23), -1), None)


def test_a_refusal_of_open_is_no_answer(aws: Aws) -> None:
    with Stubber(aws.dynamodb) as stub:
        stub.add_client_error("update_item", "AccessDeniedException")
        with pytest.raises(Refused, match="AccessDenied"):
            ledger(aws).open(SOURCE, 1, 2, Opening(date(2026, 11, 24), has_object=True, owner="me"))


@pytest.mark.parametrize(
    "call",
    [
        lambda ledger: ledger.narrow(SOURCE, Position(7, 1, None, -1, owner="me"), Suspect(9, 3)),
        lambda ledger: ledger.release(SOURCE, "me"),
        lambda ledger: ledger.stop(SOURCE, DurableStop(StopReason.FLOOD, "why", 7, 9, 1)),
        lambda ledger: ledger.begin(SOURCE, 7, None),
    ],
    ids=["narrow", "release", "stop", "begin"],
)
def test_a_throttled_update_is_unavailable_and_no_answer(aws: Aws, call: Callable[[DynamoLedger], object]) -> None:
    fails(aws.dynamodb, client_error("ProvisionedThroughputExceededException"))
    with pytest.raises(Unavailable, match="table ledger"):
        call(ledger(aws))


def test_advance_is_one_transaction_of_ledger_counts_and_gap(aws: Aws) -> None:
    at = Position(7, 1, date(2026, 11, 23), -1, has_object=True, owner="me")
    to = Position(10, 0, None, 5, suspect=Suspect(20, 3), window=((3, 1),), clock=4)
    shard = {"counter": {"S": "per-minute?device_type=ios"}, "bucket": {"S": "2026-11-23T13:26:00Z#user-login/3"}}
    gap = {"pipeline": KEY["pipeline"], "partition": {"S": "user-login#3#gap#00000000000000000007"}}
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("transact_write_items", {}, {"TransactItems": [
            {"Update": {
                "TableName": "ledger", "Key": KEY,
                "ConditionExpression": "#next = :next AND #step = :step AND attribute_not_exists(#fence) "
                "AND attribute_not_exists(#stop)",
                "UpdateExpression": "SET #step = :to_step, #next = :to_next, #newest = :newest, #clock = :clock, "
                "#window = :window, #suspect = :suspect REMOVE #day, #object, #owner",
                "ExpressionAttributeNames": {f"#{name}": name for name in NAMES},
                "ExpressionAttributeValues": {
                    ":next": {"N": "7"}, ":step": {"N": "1"},
                    ":to_next": {"N": "10"}, ":to_step": {"N": "0"}, ":newest": {"N": "5"},
                    ":clock": {"N": "4"}, ":window": {"L": [{"L": [{"N": "3"}, {"N": "1"}]}]},
                    ":suspect": {"M": {"end": {"N": "20"}, "size": {"N": "3"}, "alone": {"L": []}}},
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
    calls = fails(aws.dynamodb, client_error("InternalServerError", 500))
    for _ in range(2):
        with pytest.raises(Unavailable):
            ledger(aws).advance(SOURCE, at, at, [], None)
    assert len({json.loads(call["body"])["ClientRequestToken"] for call in calls}) == 2


def test_positions_are_all_partitions_of_a_topic_and_no_gaps(aws: Aws) -> None:
    other = ITEM | {"partition": {"S": "user-login#12"}, "next": {"N": "90"}}
    gap = KEY | {"partition": {"S": "user-login#3#gap#00000000000000000007"}, "first": {"N": "7"}, "last": {"N": "8"}}
    with Stubber(aws.dynamodb) as stub:
        stub.add_response("query", {"Items": [other, gap], "LastEvaluatedKey": KEY})
        stub.add_response("query", {"Items": [ITEM]})
        positions = ledger(aws).positions("logins", "user-login")
    assert {partition: position.next for partition, position in positions.items()} == {12: 90, 3: 7}


def test_a_counters_key_is_readable() -> None:
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
    assert bucket_start(bucket) == text


def test_a_count_expires_where_its_counter_does() -> None:
    counts = [Count("per-minute", "", 600, 1), Count("per-day", "", 0, 1)]
    kept, gone = adds("counters", SOURCE, counts, {"per-day": 86_400 + 5})
    assert ":expires" not in kept["Update"]["ExpressionAttributeValues"]
    assert gone["Update"]["UpdateExpression"] == "ADD #amount :amount SET #by = :by, #expires = :expires"
    assert gone["Update"]["ExpressionAttributeNames"]["#expires"] == "expires"
    assert gone["Update"]["ExpressionAttributeValues"][":expires"] == {"N": "86405"}
