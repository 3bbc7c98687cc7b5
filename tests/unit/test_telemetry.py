"""One vocabulary: the same names and numbers whichever runtime speaks."""

import json
from collections import Counter
from unittest.mock import Mock, call

import pytest

from functions.core.dead_letter import Reason
from functions.core.intent import Gap
from functions.core.metrics import LAG, RECORDS
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.telemetry import FIELDS, Attempt, Meters, Sample, age, fields, samples, settled_fields

PART = Slice("click", 3, 5, 9, [5, 7], [0, 0], [None, b"key"], [b"value", None], [(), ()])

EVERYTHING = Settled(
    next=10,
    records=6,
    rows=2,
    rejected=Counter({Reason.INVALID: 2, Reason.FAILED: 1}),
    dropped=1,
    repeated=7,
    already_settled=3,
    adopted=4,
    conflicts=5,
    gaps=[Gap(1, 2), Gap(4, 4)],
)


def test_samples_hold_all_counts_of_a_settled_slice() -> None:
    assert {
        (sample.metric.name, *sample.labels): sample.value for sample in samples(Attempt(PART, EVERYTHING, 1.5, 60.0))
    } == {
        ("records_total",): 6,
        ("rows_total",): 2,
        ("rejects_total", "invalid"): 2,
        ("rejects_total", "failed"): 1,
        ("dropped_total",): 1,
        ("repeated_total",): 7,
        ("already_settled_total",): 3,
        ("roll_forwards_total",): 4,
        ("ledger_conflicts_total",): 5,
        ("gaps_total",): 2,
        ("settle_seconds",): 1.5,
        ("slice_records",): 2,
        ("slice_bytes",): 8,
        ("last_settled_timestamp_seconds",): 60.0,
    }


def test_zeros_are_not_sent() -> None:
    told = {sample.metric.name for sample in samples(Attempt(PART, Settled(next=1), 0.1, 60.0))}
    assert told == {"settle_seconds", "slice_records", "slice_bytes", "last_settled_timestamp_seconds"}
    assert settled_fields(Settled(next=1), 0.1234) == {"next": 1, "seconds": 0.123}


@pytest.mark.parametrize(("timestamp", "seconds"), [(60_000, 40.0), (0, 100.0), (100_001, 0.0), (-1, None)])
def test_the_age_of_a_record_is_never_negative_and_unknown_without_a_timestamp(
    timestamp: int, seconds: float | None
) -> None:
    assert age(timestamp, 100.0) == seconds


def test_several_meters_get_the_same_samples() -> None:
    each = (Mock(), Mock())
    meters = Meters(each)
    meters.record(Sample(RECORDS, 1))
    meters.forget(LAG, "3")
    assert [meter.mock_calls for meter in each] == [[call.record(Sample(RECORDS, 1)), call.forget(LAG, "3")]] * 2


def test_a_log_line_identifies_the_slice_and_holds_its_counts() -> None:
    assert fields(PART) == {"topic": "click", "partition": 3, "start": 5, "end": 9}
    told = settled_fields(EVERYTHING, 1.5)
    assert told == {
        "next": 10, "records": 6, "rows": 2, "rejects": {"invalid": 2, "failed": 1}, "dropped": 1, "repeated": 7,
        "already": 3, "adopted": 4, "conflicts": 5, "gaps": [[1, 2], [4, 4]], "seconds": 1.5,
    }  # fmt: skip
    assert json.loads(json.dumps(told)) == told
    assert list(FIELDS) == [*fields(PART), *told]
