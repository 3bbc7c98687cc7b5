"""Events that no mapping sends: one ValueError that names the partition, and contains nothing of the records."""

from base64 import b64encode
from typing import Any

import pytest

from functions.runtimes.msk.event import slices

SECRET = "203.0.113.7"
GOOD: dict[str, Any] = {
    "topic": "user-login", "partition": 0, "offset": 5, "timestamp": 1545084650987, "key": "AAAA",
    "value": b64encode(SECRET.encode()).decode(), "headers": [],
}  # fmt: skip


def event(*records: Any) -> dict[str, Any]:
    return {"eventSource": "aws:kafka", "records": {"user-login-0": list(records)}}


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "AAA"},  # truncated
        {"value": "A A="},  # a lenient decoder would accept it
        {"value": SECRET},
        {"key": 1},
        {"offset": "5"},
        {"offset": True},
        {"offset": -1},
        {"offset": 2**63},
        {"partition": None},
        {"partition": 1.0},
        {"topic": None},
        {"topic": []},
        {"timestamp": "now"},
        {"timestamp": 2**63},
    ],
    ids=str,
)
def test_a_field_of_the_wrong_type(changes: dict[str, Any]) -> None:
    refused(
        event(GOOD, GOOD | {"offset": 6} | changes), "user-login-0: expected records of a Kafka event source mapping"
    )


@pytest.mark.parametrize("name", ["topic", "partition", "offset"])
def test_a_missing_field(name: str) -> None:
    refused(event({field: value for field, value in GOOD.items() if field != name}), "user-login-0: expected records")


@pytest.mark.parametrize("other", [{"partition": 1, "offset": 6}, {"topic": "other", "offset": 6}, {}], ids=str)
def test_records_of_different_partitions_or_out_of_order(other: dict[str, Any]) -> None:
    refused(event(GOOD, GOOD | other), "user-login-0: expected records")


@pytest.mark.parametrize("record", [None, 1, "record", [], [GOOD]], ids=str)
def test_an_invalid_record(record: Any) -> None:
    refused(event(record), "user-login-0: expected records")


@pytest.mark.parametrize("invalid_event", [None, 1, "event", [], b"{}"], ids=str)
def test_an_invalid_event(invalid_event: Any) -> None:
    refused(invalid_event, "expected an event of a Kafka event source mapping")


@pytest.mark.parametrize("headers", [5, [5], [{"trace": "text"}], [{"trace": [1.5]}], "text"], ids=str)
def test_invalid_headers_raise_when_they_are_read(headers: Any) -> None:
    (slice_,) = slices(event(GOOD | {"headers": headers}))
    with pytest.raises(ValueError, match="headers: expected records"):
        slice_.headers[0]


def refused(invalid_event: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        list(slices(invalid_event))
    assert len(str(error.value).splitlines()) == 1
    assert SECRET not in str(error.value)
