"""Events that no mapping sends: one ValueError that names the partition, and tells nothing of what records hold."""

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
        {"value": "AAA"},  # cut off
        {"value": "A A="},  # which a lenient decoder would take for something else
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
def test_a_field_of_the_wrong_kind(changes: dict[str, Any]) -> None:
    refused(event(GOOD, GOOD | {"offset": 6} | changes), "user-login-0: takes records of a Kafka event source mapping")


@pytest.mark.parametrize("name", ["topic", "partition", "offset"])
def test_a_field_that_is_missing(name: str) -> None:
    refused(event({field: value for field, value in GOOD.items() if field != name}), "user-login-0: takes records")


@pytest.mark.parametrize("other", [{"partition": 1, "offset": 6}, {"topic": "other", "offset": 6}, {}], ids=str)
def test_records_that_do_not_belong_together(other: dict[str, Any]) -> None:
    refused(event(GOOD, GOOD | other), "user-login-0: takes records")


@pytest.mark.parametrize("record", [None, 1, "record", [], [GOOD]], ids=str)
def test_what_is_no_record(record: Any) -> None:
    refused(event(record), "user-login-0: takes records")


@pytest.mark.parametrize("given", [None, 1, "event", [], b"{}"], ids=str)
def test_what_is_no_event(given: Any) -> None:
    refused(given, "takes an event of a Kafka event source mapping")


@pytest.mark.parametrize("headers", [5, [5], [{"trace": "text"}], [{"trace": [1.5]}], "text"], ids=str)
def test_headers_are_told_when_they_are_asked_for(headers: Any) -> None:
    (part,) = slices(event(GOOD | {"headers": headers}))
    with pytest.raises(ValueError, match="headers: takes records"):
        part.headers[0]


def refused(given: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told) as error:
        list(slices(given))
    assert len(str(error.value).splitlines()) == 1
    assert SECRET not in str(error.value)
