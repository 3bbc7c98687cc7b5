"""What every store of seen events keeps to: the twin and DynamoDB alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from functions.adapters.memory import MemorySeen
from functions.adapters.seen import DynamoSeen
from functions.core.dedup import SeenEvent
from functions.core.ports import SeenStore
from functions.core.record_place import RecordPlace

DAY = 24 * 60 * 60 * 1000
NUMBERS = count()


@pytest.fixture(params=["memory", "aws"])
def seen(request: pytest.FixtureRequest) -> Iterator[SeenStore]:
    if request.param == "memory":
        yield MemorySeen()
        return
    aws = request.getfixturevalue("aws")
    table = f"tandem-seen-{next(NUMBERS)}"
    aws.dynamodb.create_table(
        TableName=table, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "event", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "event", "KeyType": "HASH"}],
    )  # fmt: skip
    yield DynamoSeen(aws.item_puts, table, aws.pool)
    aws.dynamodb.delete_table(TableName=table)


def event(key: str, offset: int, time: int = 0, topic: str = "t.x") -> SeenEvent:
    return SeenEvent(key, RecordPlace(topic, 2, offset), time)


def test_the_first_record_claims_and_may_claim_again(seen: SeenStore) -> None:
    for _ in range(3):
        assert list(seen.claim([event("a", 1), event("b", 2)], DAY)) == [None, None]


def test_another_record_gets_the_holder(seen: SeenStore) -> None:
    seen.claim([event("a", 1, 5)], DAY)
    assert list(seen.claim([event("c", 3), event("a", 2, DAY + 5)], DAY)) == [None, event("a", 1, 5)]
    assert list(seen.claim([event("a", 1, 5, "other")], DAY)) == [event("a", 1, 5)]


def test_after_the_time_another_record_claims_and_the_first_still_holds(seen: SeenStore) -> None:
    seen.claim([event("a", 1, 0)], DAY)
    assert list(seen.claim([event("a", 2, DAY + 1)], DAY)) == [None]
    assert list(seen.claim([event("a", 1, 0)], DAY)) == [None], "a replay"
    assert list(seen.claim([event("a", 3, 0)], DAY)) == [event("a", 1, 0)], "a replay of what was a repeat"
    assert list(seen.claim([event("a", 4, DAY + 2)], DAY)) == [event("a", 2, DAY + 1)]


def test_a_record_from_long_before_claims_too(seen: SeenStore) -> None:
    seen.claim([event("a", 1, 2 * DAY)], DAY)
    assert list(seen.claim([event("a", 2, 0)], DAY)) == [None]
    assert list(seen.claim([event("a", 3, DAY // 2)], DAY)) == [event("a", 2, 0)]


def test_of_records_that_claim_at_the_same_time_one_wins(seen: SeenStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        holders = list(threads.map(lambda offset: seen.claim([event("a", offset)], DAY)[0], range(24)))
    (winner,) = {holder for holder in holders if holder is not None}
    assert [offset for offset, holder in enumerate(holders) if holder is None] == [winner.place.offset]


def test_no_events_are_no_request(seen: SeenStore) -> None:
    assert list(seen.claim([], DAY)) == []
