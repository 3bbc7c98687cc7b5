"""What `evaluated` says of one record, compared with what settling it does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from functions.core.dead_letter import Reason
from functions.core.errors import Reject
from functions.core.keys import JsonKey
from functions.core.masking import Masked
from functions.core.pipeline import Limits, Pipeline, Tombstones
from functions.core.record import Delete, Record
from functions.core.sinks import Lake, Table
from functions.testing import evaluated

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Visit(BaseModel):
    site: str
    pages: list[str]


class View(BaseModel):
    site: str
    page: Masked
    tenant: str
    seen_at: datetime


def process(visit: Visit, record: Record) -> list[View | Delete] | None:
    if visit.site == "refused":
        raise Reject("site: refused")
    if visit.site == "broken":
        raise KeyError(visit.site)
    if not visit.pages:
        return None
    tenant, timestamp = record.header("tenant"), record.timestamp
    assert tenant is not None and timestamp is not None  # noqa: PT018 - the tests give both
    views: list[View | Delete] = [
        View(site=visit.site, page=page, tenant=tenant.decode(), seen_at=timestamp) for page in visit.pages
    ]
    return [*views, Delete({"tenant": "old", "site": record.key["site"]})] if record.key else views


PIPELINE = Pipeline(
    "visits", "visit", Visit, View, process, (Lake(), Table("views", key=("tenant", "site"))),
    tombstones=Tombstones.DELETE, key_codec=JsonKey(), limits=Limits(max_rows_per_record=3),
)  # fmt: skip
EU = [("tenant", b"eu")]


def test_a_record_becomes_its_rows_with_masks() -> None:
    result = evaluated(PIPELINE, {"site": "a", "pages": ["/", "/b", "/"]}, headers=EU, timestamp=NOON)
    assert [(row["site"], row["tenant"], row["seen_at"]) for row in result.rows] == [("a", "eu", NOON)] * 3
    first, second, third = (row["page"] for row in result.rows)
    assert first == third != second
    assert len(first) == 32
    assert (result.deletes, result.reason, result.detail, result.dropped) == ([], None, "", False)


def test_bytes_are_taken_as_they_are() -> None:
    assert evaluated(PIPELINE, b'{"site": "a", "pages": ["/"]}', headers=EU) == evaluated(
        PIPELINE, {"site": "a", "pages": ["/"]}, headers=EU
    )


def test_a_record_becomes_its_deletes() -> None:
    result = evaluated(PIPELINE, {"site": "a", "pages": ["/"]}, key=b'{"site": "b"}', headers=EU)
    assert len(result.rows) == 1
    assert result.deletes == [{"tenant": "old", "site": "b"}]
    tombstone = evaluated(PIPELINE, None, key=b'{"tenant": "t", "site": "s"}')
    assert (tombstone.rows, tombstone.deletes) == ([], [{"tenant": "t", "site": "s"}])
    assert not tombstone.dropped


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"{", Reason.UNDECODABLE, "EOF"),
        ({"site": "a"}, Reason.INVALID, "pages: Field required"),
        ({"site": "refused", "pages": []}, Reason.REJECTED, "site: refused"),
        ({"site": "broken", "pages": []}, Reason.FAILED, "KeyError: 'broken'"),
        ({"site": "a", "pages": ["/"] * 4}, Reason.FAILED, "the limit is 3"),
        (None, Reason.TOMBSTONE, "its key names no row"),
    ],
)
def test_a_rejected_record_has_a_reason(value: Any, reason: Reason, detail: str) -> None:
    result = evaluated(PIPELINE, value, headers=EU)
    assert (result.rows, result.deletes, result.reason, result.dropped) == ([], [], reason, False)
    assert detail in result.detail
    assert ("in process" in result.traceback) == (detail.startswith("KeyError"))


def test_a_dropped_record_becomes_nothing() -> None:
    result = evaluated(PIPELINE, {"site": "a", "pages": []})
    assert result.dropped
    assert (result.rows, result.deletes, result.reason) == ([], [], None)


def test_timestamps_are_in_any_time_zone_and_to_the_millisecond() -> None:
    east = datetime.fromisoformat("2026-11-25T14:00:00.0019+02:00")
    (row,) = evaluated(PIPELINE, {"site": "a", "pages": ["/"]}, headers=EU, timestamp=east).rows
    assert row["seen_at"] == NOON + timedelta(milliseconds=1)
