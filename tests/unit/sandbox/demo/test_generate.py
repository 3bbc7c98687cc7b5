from collections import Counter
from itertools import pairwise

import pytest

from functions.core.evaluate import evaluate
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE
from sandbox.demo.logins import FLAWS, Flaw, generate
from sandbox.demo.records import ExpectedLetter, Fate, LoginRow, Record

MANY = 20_000
KEY = b"k" * 16


def test_the_same_seed_gives_the_same_records() -> None:
    assert list(generate(2_000, 7)) == list(generate(2_000, 7)) != list(generate(2_000, 8))


def test_shares_are_as_promised() -> None:
    records = list(generate(MANY, 1))
    kinds = Counter(type(record.expected) for record in records)
    assert kinds[ExpectedLetter] / MANY == pytest.approx(0.02, abs=0.004)
    assert kinds[Fate] / MANY == pytest.approx(0.01, abs=0.003)
    rows = [record.expected for record in records if isinstance(record.expected, LoginRow)]
    assert sum(row.device_type == "unknown" for row in rows) / len(rows) == pytest.approx(0.1, abs=0.01)
    assert sum(record.key is None for record in records) > MANY * 0.005
    assert sum(bool(record.headers) for record in records) > MANY * 0.04
    (_, top), *_ = Counter(record.key for record in records if record.key).most_common(1)
    assert top > MANY * 0.1, "keys are skewed"
    assert any(later.at < earlier.at - 30 for earlier, later in pairwise(rows)), "some come late"


def test_the_pipeline_agrees_with_what_is_expected() -> None:
    records = list(generate(MANY, 2))
    found = evaluate(PIPELINE, slice_of(records), KEY)
    letters = {
        number: record.expected for number, record in enumerate(records) if isinstance(record.expected, ExpectedLetter)
    }
    assert {each.index: ExpectedLetter(each.reason.value) for each in found.rejections} == letters
    rows = {number: record.expected for number, record in enumerate(records) if isinstance(record.expected, LoginRow)}
    assert list(found.rows.offsets) == list(rows)
    for name in ("user_id", "version_major", "version_minor", "version_patch", "device_type", "locale"):
        assert list(found.rows.columns[name]) == [getattr(row, name) for row in rows.values()]
    assert [int(at.timestamp()) for at in found.rows.columns["logged_in_at"]] == [row.at for row in rows.values()]
    assert found.dropped == sum(record.expected is Fate.DROP for record in records)


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.name)
def test_each_flaw_has_its_reason(flaw: Flaw) -> None:
    valid = {
        "user_id": "user-0001", "app_version": "1.2.3", "device_type": "ios", "ip": "10.0.0.1",
        "locale": "DE", "device_id": "1", "timestamp": 1_772_000_000,
    }  # fmt: skip
    (rejection,) = evaluate(PIPELINE, slice_of([Record(None, flaw.spoil(valid), (), Fate.DROP)]), KEY).rejections
    assert rejection.reason.value == flaw.reason


def slice_of(records: list[Record]) -> Slice:
    return Slice(
        "user-login", 0, 0, len(records) - 1, range(len(records)), [0] * len(records),
        [record.key for record in records], [record.value for record in records],
        [record.headers for record in records],
    )  # fmt: skip
