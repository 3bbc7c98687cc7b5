"""Evaluation: the result of each record; no content of a record raises."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dead_letter import Reason, dead_letter
from functions.core.evaluate import evaluate
from functions.core.keys import JsonKey
from functions.core.pipeline import Tombstones
from functions.core.rows import Deletion
from functions.core.sinks import Lake, Table, Topic
from tests.unit.core.clicks import DELETE, KEY, click, pipeline, slice_of


def reasons(*values: str | bytes | None, **changes: object) -> list[tuple[int, Reason]]:
    rejections = evaluate(pipeline(**changes), slice_of(*values), KEY).rejections
    return [(rejection.index, rejection.reason) for rejection in rejections]


def test_rows_are_canonical_columns_with_their_coordinates() -> None:
    rows = evaluate(pipeline(), slice_of(click("a"), click("b", 90, "p"), start=7), KEY).rows
    assert (rows.offsets, rows.timestamps) == ([7, 8], [1000, 1001])
    assert rows.columns["user"] == ["a", "b"]
    assert rows.columns["page"] == [None, "p"]
    assert rows.columns["at"] == [datetime(1970, 1, 1, 0, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 1, 30, tzinfo=UTC)]


def test_masked_fields_leave_only_as_hashes() -> None:
    (secret,) = evaluate(pipeline(), slice_of(click()), KEY).rows.columns["secret"]
    assert len(secret) == 32
    assert secret != "s"


@pytest.mark.parametrize(
    ("page", "reason"),
    [("reject", Reason.REJECTED), ("crash", Reason.FAILED), ("wrong", Reason.FAILED), ("big", Reason.UNSTORABLE)],
)
def test_a_record_that_cannot_succeed_is_rejected_and_stops_no_other(page: str, reason: Reason) -> None:
    evaluation = evaluate(pipeline(), slice_of(click(), click(page=page), click()), KEY)
    assert [(rejection.index, rejection.reason) for rejection in evaluation.rejections] == [(1, reason)]
    assert evaluation.rows.offsets == [0, 2]


def test_an_exception_keeps_its_traceback() -> None:
    (rejection,) = evaluate(pipeline(), slice_of(click(page="crash")), KEY).rejections
    assert rejection.detail == "RuntimeError: boom"
    assert "raise RuntimeError" in rejection.traceback


def test_running_out_of_memory_is_raised() -> None:
    with pytest.raises(MemoryError):
        evaluate(pipeline(), slice_of(click(page="memory")), KEY)


def test_none_drops() -> None:
    evaluation = evaluate(pipeline(), slice_of(click(page="drop"), click()), KEY)
    assert (len(evaluation.rows), evaluation.dropped) == (1, 1)


def test_rejections_come_in_the_order_of_the_records() -> None:
    values = (click(page="big"), "{", click(page="reject"), click(), "[]")
    assert [index for index, _ in reasons(*values)] == [0, 1, 2, 4]


def test_tombstones_drop_by_default() -> None:
    evaluation = evaluate(pipeline(), slice_of(None, click()), KEY)
    assert (evaluation.dropped, evaluation.rows.deletes, evaluation.rejections) == (1, (), ())


def test_tombstones_may_be_rejected() -> None:
    assert reasons(None, click(), tombstones=Tombstones.REJECT) == [(0, Reason.TOMBSTONE)]


def test_tombstones_may_delete() -> None:
    evaluation = evaluate(pipeline(tombstones=DELETE), slice_of(None, click(), keys=[b"who", b"u"]), KEY)
    assert evaluation.rows.deletes == (Deletion(0, 0, 1000, {"user": "who"}),)
    assert evaluation.dropped == 0


def test_a_tombstones_key_is_decoded_as_the_pipeline_declares() -> None:
    keys: list[bytes | None] = [b'{"user": "who"}', b"[1]", b"[" * 100_000, b'"who"', None]
    evaluation = evaluate(
        pipeline(tombstones=DELETE, key_codec=JsonKey()), slice_of(None, None, None, None, None, keys=keys), KEY
    )
    assert [delete.offset for delete in evaluation.rows.deletes] == [0, 3]
    assert {str(delete.keys) for delete in evaluation.rows.deletes} == {"{'user': 'who'}"}
    assert [(r.index, r.reason) for r in evaluation.rejections] == [(n, Reason.TOMBSTONE) for n in (1, 2, 4)]
    assert all(r.detail.startswith("its key names no row to delete: ") for r in evaluation.rejections)


@given(
    st.lists(st.sampled_from([None, "{", click(), click(page="crash"), click(page="drop")]), min_size=1, max_size=9),
    st.integers(0, 10),
    st.integers(0, 10),
    st.integers(0, 3),
)
def test_a_part_of_an_evaluation_is_the_evaluation_of_the_part(
    values: list[str | None], first: int, last: int, start: int
) -> None:
    whole = slice_of(*values, start=start, keys=[b"u"] * len(values))
    begin, end = sorted((min(first, len(values) - 1), min(last, len(values) - 1)))
    declared = pipeline(tombstones=DELETE)
    part = evaluate(declared, whole, KEY).between(start + begin, start + end)
    assert part == evaluate(declared, whole.since(start + begin).until(start + end), KEY)


def test_a_tombstone_that_names_no_row_is_rejected() -> None:
    evaluation = evaluate(pipeline(tombstones=DELETE), slice_of(None, None, None, keys=[None, b"", b"\xff"]), KEY)
    assert [rejection.index for rejection in evaluation.rejections] == [0, 1, 2]


def test_a_row_too_large_for_its_sinks_is_rejected() -> None:
    huge, sinks = click(page="p" * 410_000), (Table("rows", "user", "at"), Topic("o", "user"))
    assert reasons(huge, click(), sinks=sinks) == [(0, Reason.UNSTORABLE)]
    assert reasons(click(page="p" * 100_000), sinks=sinks) == []
    assert reasons(huge, sinks=(Topic("o", "user"),)) == []
    assert reasons(huge, sinks=(Lake(),)) == []


@pytest.mark.parametrize("user", ["", "u" * 2049])
def test_a_key_that_the_table_cannot_take_is_rejected(user: str) -> None:
    assert reasons(click(user=user), click()) == [(0, Reason.UNSTORABLE)]
    assert reasons(click(user=user), sinks=(Lake(),)) == []


def test_a_group_that_the_counters_cannot_take_is_rejected() -> None:
    assert reasons(click(page="p" * 513), click()) == [(0, Reason.UNSTORABLE)]


def test_a_dead_letter_is_the_whole_record() -> None:
    records = slice_of(click(), "{", start=5, keys=[b"a", None])
    (rejection,) = evaluate(pipeline(), records, KEY).rejections
    letter = dead_letter("clicks", records, rejection)
    assert (letter.topic, letter.partition, letter.offset, letter.timestamp) == ("click", 0, 6, 1001)
    assert (letter.key, letter.value, letter.reason) == (None, b"{", Reason.UNDECODABLE)


PAGES = st.sampled_from([None, "p", "drop", "reject", "crash", "wrong", "big"])
VALUES = st.none() | st.binary(max_size=30) | PAGES.map(lambda page: click(page=page).encode())


@given(st.lists(VALUES, max_size=15), st.sampled_from(Tombstones))
def test_every_record_counts_once(values: list[bytes | None], tombstones: Tombstones) -> None:
    evaluation = evaluate(
        pipeline(tombstones=tombstones), slice_of(*values, start=3) if values else slice_of(b"{"), KEY
    )
    results = len(evaluation.rows) + len(evaluation.rows.deletes) + len(evaluation.rejections) + evaluation.dropped
    assert results == max(1, len(values))


class Broken:
    """A codec of a pipeline's own, with a bug."""

    def decode(self, key: bytes) -> str:
        raise ZeroDivisionError(key)


def test_a_codec_that_raises_anything_rejects_only_the_record() -> None:
    declared = pipeline(tombstones=DELETE, key_codec=Broken())
    evaluation = evaluate(declared, slice_of(None, click(), keys=[b"u", b"u"]), KEY)
    assert [(rejection.index, rejection.reason) for rejection in evaluation.rejections] == [(0, Reason.FAILED)]
    assert evaluation.rows.offsets == [1]
