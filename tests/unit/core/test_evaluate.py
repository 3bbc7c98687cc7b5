"""Evaluation: what each record comes to, and that nothing a record holds raises."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dead_letter import Reason, dead_letter
from functions.core.evaluate import evaluate
from functions.core.pipeline import Tombstones
from functions.core.rows import Delete
from functions.core.sinks import Lake, Table, Topic
from tests.unit.core.clicks import DELETE, KEY, click, part, pipeline


def reasons(*values: str | bytes | None, **changes: object) -> list[tuple[int, Reason]]:
    found = evaluate(pipeline(**changes), part(*values), KEY).rejections
    return [(rejection.index, rejection.reason) for rejection in found]


def test_rows_are_canonical_columns_with_their_coordinates() -> None:
    rows = evaluate(pipeline(), part(click("a"), click("b", 90, "p"), start=7), KEY).rows
    assert (rows.offsets, rows.timestamps) == ([7, 8], [1000, 1001])
    assert rows.columns["user"] == ["a", "b"]
    assert rows.columns["page"] == [None, "p"]
    assert rows.columns["at"] == [datetime(1970, 1, 1, 0, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 1, 30, tzinfo=UTC)]


def test_masked_fields_leave_only_as_hashes() -> None:
    (secret,) = evaluate(pipeline(), part(click()), KEY).rows.columns["secret"]
    assert len(secret) == 32
    assert secret != "s"


@pytest.mark.parametrize(
    ("page", "reason"),
    [("reject", Reason.REJECTED), ("crash", Reason.FAILED), ("wrong", Reason.FAILED), ("big", Reason.UNSTORABLE)],
)
def test_a_record_that_cannot_succeed_is_rejected_and_stops_no_other(page: str, reason: Reason) -> None:
    done = evaluate(pipeline(), part(click(), click(page=page), click()), KEY)
    assert [(rejection.index, rejection.reason) for rejection in done.rejections] == [(1, reason)]
    assert done.rows.offsets == [0, 2]


def test_an_exception_keeps_its_traceback() -> None:
    (rejection,) = evaluate(pipeline(), part(click(page="crash")), KEY).rejections
    assert rejection.detail == "RuntimeError: boom"
    assert "raise RuntimeError" in rejection.traceback


def test_running_out_of_memory_is_not_the_records_fault() -> None:
    with pytest.raises(MemoryError):
        evaluate(pipeline(), part(click(page="memory")), KEY)


def test_none_drops() -> None:
    done = evaluate(pipeline(), part(click(page="drop"), click()), KEY)
    assert (len(done.rows), done.dropped) == (1, 1)


def test_rejections_come_in_the_order_of_the_records() -> None:
    values = (click(page="big"), "{", click(page="reject"), click(), "[]")
    assert [index for index, _ in reasons(*values)] == [0, 1, 2, 4]


def test_tombstones_drop_by_default() -> None:
    done = evaluate(pipeline(), part(None, click()), KEY)
    assert (done.dropped, done.rows.deletes, done.rejections) == (1, (), ())


def test_tombstones_may_be_rejected() -> None:
    assert reasons(None, click(), tombstones=Tombstones.REJECT) == [(0, Reason.TOMBSTONE)]


def test_tombstones_may_delete() -> None:
    done = evaluate(pipeline(tombstones=DELETE), part(None, click(), keys=[b"who", b"u"]), KEY)
    assert done.rows.deletes == (Delete(0, 1000, b"who"),)
    assert done.dropped == 0


def test_a_tombstone_that_names_no_row_is_rejected() -> None:
    done = evaluate(pipeline(tombstones=DELETE), part(None, None, None, keys=[None, b"", b"\xff"]), KEY)
    assert [rejection.index for rejection in done.rejections] == [0, 1, 2]


def test_a_row_too_large_for_its_sinks_is_rejected() -> None:
    huge, sinks = click(page="p" * 400_000), (Table("rows", "user", "at"), Topic("o", "user"))
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
    records = part(click(), "{", start=5, keys=[b"a", None])
    (rejection,) = evaluate(pipeline(), records, KEY).rejections
    letter = dead_letter("clicks", records, rejection)
    assert (letter.topic, letter.partition, letter.offset, letter.timestamp) == ("click", 0, 6, 1001)
    assert (letter.key, letter.value, letter.reason) == (None, b"{", Reason.UNDECODABLE)


PAGES = st.sampled_from([None, "p", "drop", "reject", "crash", "wrong", "big"])
VALUES = st.none() | st.binary(max_size=30) | PAGES.map(lambda page: click(page=page).encode())


@given(st.lists(VALUES, max_size=15), st.sampled_from(Tombstones))
def test_every_record_counts_once(values: list[bytes | None], tombstones: Tombstones) -> None:
    done = evaluate(pipeline(tombstones=tombstones), part(*values, start=3) if values else part(b"{"), KEY)
    found = len(done.rows) + len(done.rows.deletes) + len(done.rejections) + done.dropped
    assert found == max(1, len(values))
