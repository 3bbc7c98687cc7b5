"""A run can be told apart from everything else in a stage."""

import json

from functions.core.evaluate import evaluate
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE
from sandbox.demo.records import ExpectedLetter, LoginRow
from sandbox.smoke.plan import SmokePlan

PLAN = SmokePlan("4f2a", 500, 1)


def test_the_same_run_gives_the_same_records_and_another_one_others() -> None:
    assert PLAN.records == SmokePlan("4f2a", 500, 1).records
    other = SmokePlan("4f2b", 500, 1)
    assert PLAN.records != other.records
    assert not set(PLAN.users) & set(other.users)
    assert PLAN.minutes != other.minutes


def test_rows_are_of_the_runs_users_and_minutes() -> None:
    rows = [record.expected for record in PLAN.records if isinstance(record.expected, LoginRow)]
    assert {row.user_id for row in rows} <= set(PLAN.users)
    assert all(row.user_id.startswith("smoke-4f2a-user-") for row in rows)
    first, last = PLAN.minutes
    assert all(first <= row.at < last + 60 for row in rows)
    assert (first % 60, last % 60) == (0, 0)


def test_the_pipeline_makes_of_the_records_what_the_plan_says() -> None:
    records = PLAN.records
    offsets, count = list(range(len(records))), len(records)
    slice_ = Slice(
        PIPELINE.topic, 0, 0, count - 1, offsets, [0] * count, [each.key for each in records],
        [each.value for each in records], [each.headers for each in records],
    )  # fmt: skip
    evaluation = evaluate(PIPELINE, slice_, b"k" * 16)
    expected = [number for number, each in enumerate(records) if isinstance(each.expected, LoginRow)]
    assert list(evaluation.rows.offsets) == expected
    rejected = {number for number, each in enumerate(records) if isinstance(each.expected, ExpectedLetter)}
    assert {each.index for each in evaluation.rejections} == rejected
    assert rejected


def test_times_of_events_are_decades_ahead() -> None:
    for number in range(200):
        begin = SmokePlan(f"{number:04x}", 100, 1).begin
        assert 2_840_140_800 <= begin < 3_124_224_000, "from 2060 to 2068"


def test_values_are_json_with_times_of_the_run() -> None:
    values = [json.loads(each.value or b"") for each in PLAN.records if isinstance(each.expected, LoginRow)]
    assert all(PLAN.begin - 240 <= value["timestamp"] < PLAN.begin + 3600 for value in values)
