"""Recorded and documented events, and the slices they become."""

from typing import Any

import pytest

from functions.core.headers import MAX_HEADERS, OMITTED
from functions.core.slice import Slice
from functions.runtimes.msk.event import slices
from tests.unit.runtimes.world import event, login, recorded


def places(name: str) -> list[tuple[int, list[int]]]:
    return [(slice_.partition, list(slice_.offsets)) for slice_ in slices(recorded(name))]


def only(name: str) -> Slice:
    (slice_,) = slices(recorded(name))
    return slice_


def test_the_documented_event_is_one_slice() -> None:
    slice_ = only("msk_documented")
    assert (slice_.topic, slice_.partition, slice_.start, slice_.end) == ("mytopic", 0, 15, 15)
    assert slice_.timestamps == [1545084650987]
    assert slice_.values == [b"Hello, this is a test."]
    assert slice_.headers[0] == [("headerKey", b"headerValue")]
    assert len(slice_.keys[0] or b"") == 22


def test_header_bytes_are_signed() -> None:
    assert only("msk_signed_headers").headers[0] == [
        ("trace", b"\x00\x7f\x80\xff"),
        ("trace", b""),
        ("name", "€".encode()),
    ]


def test_keys_and_values_may_be_null_absent_or_empty() -> None:
    slice_ = only("msk_nulls")
    assert slice_.keys == [None, None, b"u-1", b"u-1", b""]
    assert slice_.values == [login(), login(), None, None, b""]


def test_each_partition_is_a_slice_that_may_have_holes() -> None:
    assert places("msk_partitions") == [(2, [40, 42]), (0, [5]), (11, [0, 1])]


def test_a_batch_may_be_empty() -> None:
    assert places("msk_empty") == []
    assert places("msk_empty_partitions") == [(1, [9])]


def test_a_self_managed_cluster_sends_the_same() -> None:
    assert only("self_managed").values == [login()]


def test_records_are_sorted_by_offset() -> None:
    event = recorded("msk_partitions")
    event["records"]["user-login-2"].reverse()
    assert slices(event)[0].offsets == [40, 42]


def test_headers_may_be_absent_or_null() -> None:
    event = recorded("msk_signed_headers")
    (record,) = event["records"]["user-login-0"]
    record["headers"] = [{"h": None}]
    assert slices(event)[0].headers[0] == [("h", None)]
    del record["headers"]
    assert slices(event)[0].headers[0] == []


def test_a_part_of_a_slice_keeps_its_headers() -> None:
    event = recorded("msk_partitions")
    event["records"]["user-login-2"][1]["headers"] = [{"h": [-1]}]
    (rest, *_) = slices(event)
    assert rest.since(42).headers[0] == [("h", b"\xff")]
    assert len(rest.until(41).headers) == 1


@pytest.mark.parametrize(
    ("event", "got"),
    [
        (recorded("sqs"), "got eventSource None and fields ['Records']"),
        ({"eventSource": "aws:sqs", "records": {}}, "got eventSource 'aws:sqs' and fields ['eventSource', 'records']"),
        ({"eventSource": "aws:kafka", "records": []}, "got eventSource 'aws:kafka'"),
        ({}, "got eventSource None and fields []"),
        ([], "got a list"),
    ],
)
def test_an_event_of_another_source_is_refused_without_telling_its_records(event: Any, got: str) -> None:
    with pytest.raises(ValueError, match="expected an event of a Kafka event source mapping") as refused:
        list(slices(event))
    assert got in str(refused.value)
    assert "203.0.113.7" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"offset": "7"},
        {"offset": -1},
        {"offset": 2**63},
        {"partition": None},
        {"topic": None},
        {"timestamp": 1.5},
        {"value": "203.0.113.7"},
        {"value": {"ip": "203.0.113.7"}},
    ],
)
def test_records_that_no_mapping_sends_are_refused_without_showing_their_content(changes: dict[str, Any]) -> None:
    event = recorded("self_managed")
    event["records"]["user-login-0"][0] |= changes
    with pytest.raises(
        ValueError, match=r"^user-login-0: expected records of a Kafka event source mapping: "
    ) as refused:
        list(slices(event))
    assert "203.0.113.7" not in str(refused.value)


def test_records_of_two_partitions_under_one_name_are_refused() -> None:
    event = recorded("msk_partitions")
    event["records"]["user-login-2"][1]["partition"] = 3
    with pytest.raises(ValueError, match=r"^user-login-2: expected records"):
        list(slices(event))


def test_of_a_record_with_too_many_headers_only_some_are_kept_and_that_is_said() -> None:
    whole = event(p0=[b"v"])
    whole["records"]["user-login-0"][0]["headers"] = [{"h": []}] * 5000
    (slice_,) = slices(whole)
    assert len(slice_.headers[0]) == MAX_HEADERS + 1
    assert slice_.headers[0][-1] == (OMITTED, b"and 4900 more")
