"""Effects: counts, table candidates and messages of rows."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.core.effects import (
    Count,
    Newest,
    Order,
    TableSpec,
    TopicSpec,
    counts,
    messages,
    newest,
    record_times,
)
from functions.core.rows import Deletion, Rows
from functions.core.sinks import HOUR, MINUTE, Counters

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def rows(users: list[object], minutes: list[float], deletes: tuple[Deletion, ...] = ()) -> Rows:
    at = [T0 + timedelta(minutes=m) for m in minutes]
    n = len(users)
    return Rows(list(range(10, 10 + n)), [0] * n, [0] * n, {"user": users, "at": at, "n": list(range(n))}, deletes)


def candidates(table: TableSpec, rows: Rows, partition: int = 0, clock: int = -1, latest: int = 10**15) -> list[Newest]:
    return newest(table, partition, rows, record_times(rows, clock, latest))


def test_counts_are_per_group_and_bucket_and_sorted() -> None:
    sink = Counters("c", by=("user",), every=MINUTE, at="at")
    base = int(T0.timestamp())
    assert counts(sink, rows(["b", "a", "b", None, "a"], [0, 1, 0.5, 0, 0])) == [
        Count("c", "", base, 1),
        Count("c", "user=a", base, 1),
        Count("c", "user=a", base + 60, 1),
        Count("c", "user=b", base, 2),
    ]


def test_counts_without_groups() -> None:
    assert counts(Counters("c", by=(), every=HOUR, at="at"), rows(["a", "b"], [0, 59])) == [
        Count("c", "", int(T0.timestamp()), 2)
    ]


def test_similar_values_are_different_groups() -> None:
    sink = Counters("c", by=("user", "n"), every=HOUR, at="at")
    assert {count.group for count in counts(sink, rows(["a&n=0", "a"], [0, 0]))} == {"user=a%26n%3D0&n=0", "user=a&n=1"}


def test_buckets_before_1970_round_down() -> None:
    early = Rows([0], [0], [0], {"at": [datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)]})
    assert counts(Counters("c", by=(), every=MINUTE, at="at"), early)[0].bucket == -60


TABLE = TableSpec("t", ("user",), "at")
LAST_WRITTEN = TableSpec("t", ("user",), None)


def test_the_newest_row_of_each_key_is_the_candidate() -> None:
    by_key = {candidate.key: candidate for candidate in candidates(TABLE, rows(["a", "b", "a", "a"], [2, 0, 5, 1]), 3)}
    assert by_key["a",].row == {"user": "a", "at": T0 + timedelta(minutes=5), "n": 2}
    assert by_key["a",].order == Order(int((T0 + timedelta(minutes=5)).timestamp()) * 1_000_000, 12, 3)
    assert by_key["a",].offset == 12
    assert set(by_key) == {("a",), ("b",)}


def test_of_equally_new_rows_the_later_offset_wins() -> None:
    (candidate,) = candidates(TABLE, rows(["a", "a"], [1, 1]))
    assert candidate.order.offset == 11


def written(offsets: list[int], timestamps: list[int], users: list[object], *deletes: Deletion) -> Rows:
    return Rows(offsets, [0] * len(offsets), timestamps, {"user": users}, deletes)


def test_of_a_row_and_a_delete_the_one_that_was_written_last_wins() -> None:
    deletes = (Deletion(11, 0, 5, {"user": "a"}), Deletion(12, 0, 6, {"user": "b"}), Deletion(14, 0, 6, {"user": "c"}))
    some = candidates(LAST_WRITTEN, written([10, 13], [4, 7], ["a", "b"], *deletes))
    assert {candidate.key: candidate.row is None for candidate in some} == {("a",): True, ("b",): False, ("c",): True}
    assert {candidate.key: candidate.order for candidate in some} == {
        ("a",): Order(5_000, 11, 0), ("b",): Order(7_000, 13, 0), ("c",): Order(7_000, 14, 0),
    }  # fmt: skip


def test_of_two_deletes_of_a_key_the_later_one_remains() -> None:
    deletes = (Deletion(11, 0, 5, {"user": "a"}), Deletion(12, 0, 5, {"user": "a"}))
    (candidate,) = candidates(LAST_WRITTEN, written([], [], [], *deletes))
    assert candidate == Newest(("a",), Order(5_000, 12, 0), None)


def test_a_producers_clock_that_goes_back_hides_no_later_record() -> None:
    """The delete at offset 11 has an older timestamp than the row before it, and wins all the same."""
    (candidate,) = candidates(LAST_WRITTEN, written([10], [9_000], ["a"], Deletion(11, 0, 100, {"user": "a"})))
    assert candidate == Newest(("a",), Order(9_000_000, 11, 0), None)


def test_a_table_takes_only_its_own_key_of_a_delete() -> None:
    some = Rows([], [], [], {"user": [], "n": []}, (Deletion(1, 0, 5, {"user": "a", "n": 7}),))
    assert [candidate.key for candidate in candidates(LAST_WRITTEN, some)] == [("a",)]
    assert [candidate.key for candidate in candidates(TableSpec("t", ("n",), None), some)] == [(7,)]


def test_orders_of_days_and_integers() -> None:
    row = Rows([0], [0], [0], {"user": ["a"], "at": [date(2026, 1, 2)], "n": [7]})
    assert candidates(TABLE, row)[0].order.newest == date(2026, 1, 2).toordinal()
    assert candidates(TableSpec("t", ("user",), "n"), row)[0].order.newest == 7


def test_record_times_rise_with_the_offsets_and_ignore_the_future() -> None:
    some = written([10, 12, 14], [5, 3, 10**15], ["a", "b", "c"], Deletion(11, 0, 7, {}), Deletion(13, 0, 1, {}))
    assert record_times(some, 4, 9) == [5_000, 7_000, 7_000, 7_000, 7_000]
    assert record_times(some, 8, 9) == [8_000, 8_000, 8_000, 8_000, 8_000]
    assert record_times(written([], [], []), 8, 9) == []


MOMENTS = st.integers(-5, 2**63 - 1) | st.integers(-1, 9)


@given(st.lists(st.tuples(MOMENTS, st.booleans()), max_size=12), MOMENTS, MOMENTS)
def test_record_times_never_decrease(records: list[tuple[int, bool]], clock: int, latest: int) -> None:
    kept = [(offset, time) for offset, (time, is_row) in enumerate(records) if is_row]
    deletes = tuple(Deletion(offset, 0, time, {}) for offset, (time, is_row) in enumerate(records) if not is_row)
    some = Rows([offset for offset, _ in kept], [0] * len(kept), [time for _, time in kept], {}, deletes)
    times = record_times(some, clock, latest)
    assert len(times) == len(records)
    by_offset = sorted(zip([*some.offsets, *(delete.offset for delete in deletes)], times, strict=True))
    rising = [time for _, time in by_offset]
    assert rising == sorted(rising)
    assert all(clock * 1000 <= time <= max(clock, latest) * 1000 for time in rising)
    for (offset, time), (stamp, _) in zip(by_offset, records, strict=True):
        assert time >= stamp * 1000 or stamp > latest, offset


RECORDS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 9) | st.just(10**15), st.sampled_from(["row", "delete", "reject"])),
    min_size=1,
    max_size=12,
)
Records = list[tuple[str, int, str]]


def attempt(records: Records, first: int, last: int, clock: int) -> tuple[list[Newest], int]:
    """Return the candidates of the slice [first, last) and its newest timestamp, as settling a slice derives them."""
    part = [(offset, *record) for offset, record in enumerate(records) if first <= offset < last]
    kept = [(offset, time, key) for offset, key, time, kind in part if kind == "row"]
    deletes = tuple(Deletion(offset, 0, time, {"user": key}) for offset, key, time, kind in part if kind == "delete")
    some = Rows(
        [row[0] for row in kept], [0] * len(kept), [row[1] for row in kept], {"user": [row[2] for row in kept]}, deletes
    )
    latest = max((time for _, _, time, _ in part if time < 10**15), default=-1)
    return candidates(LAST_WRITTEN, some, clock=clock, latest=latest), latest


@given(RECORDS, st.integers(0, 12), st.integers(0, 12))
@example([("a", 10**15, "row"), ("a", 9, "reject"), ("a", 5, "row")], 1, 2)
@settings(max_examples=300)
def test_the_last_record_wins_however_slices_are_cut_and_whichever_attempt_died(
    records: Records, cut: int, end: int
) -> None:
    """Without a lake, an attempt may have stored the rows of a slice that the next one cuts elsewhere."""
    stored: dict[tuple[str | int, ...], Newest] = {}
    clock = -1
    for first, last in ((0, cut), (cut, len(records))):
        died, _ = attempt(records, first, max(first, end), clock)
        some, latest = attempt(records, first, last, clock)
        for candidate in [*died, *some]:
            if candidate.key not in stored or stored[candidate.key].order < candidate.order:
                stored[candidate.key] = candidate
        clock = max(clock, latest)
    due = {(key,): (offset, kind == "row") for offset, (key, _, kind) in enumerate(records) if kind != "reject"}
    assert {key: (winner.offset, winner.row is not None) for key, winner in stored.items()} == due


def test_messages_carry_their_source() -> None:
    first, second = messages(TopicSpec("out", "user"), "in/3", rows(["a", None], [0, 1]))
    assert (first.key, second.key) == (b"a", None)
    assert json.loads(first.value) == {"user": "a", "at": "2026-01-01T00:00:00Z", "n": 0}
    assert [message.headers for message in (first, second)] == [
        [("tandem-source", b"in/3/10/0")],
        [("tandem-source", b"in/3/11/0")],
    ]
    assert (first.offset, second.offset) == (10, 11)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=12), st.integers(1, 11))
def test_candidates_do_not_depend_on_how_rows_are_sliced(pairs: list[tuple[str, int]], cut: int) -> None:
    whole = rows([user for user, _ in pairs], [minute for _, minute in pairs])
    pieces = [
        Rows(whole.offsets[s], whole.numbers[s], whole.timestamps[s], {k: v[s] for k, v in whole.columns.items()})
        for s in (slice(0, cut), slice(cut, None))
    ]
    best: dict[object, Order] = {}
    for candidate in (candidate for piece in pieces for candidate in candidates(TABLE, piece)):
        best[candidate.key] = max(candidate.order, best.get(candidate.key, candidate.order))
    assert best == {candidate.key: candidate.order for candidate in candidates(TABLE, whole)}


@pytest.mark.parametrize(
    ("newest_by", "expires"),
    [
        (None, 5 + 60),  # the record's time
        ("at", int(T0.timestamp()) + 60),
        ("day", 86_400 + 60),
        ("n", 5 + 60),  # an integer is no time
    ],
)
def test_a_row_expires_after_its_own_time(newest_by: str | None, expires: int) -> None:
    columns: dict[str, list[object]] = {"user": ["a"], "at": [T0], "day": [date(1970, 1, 2)], "n": [10**9]}
    (candidate,) = candidates(TableSpec("t", ("user",), newest_by, 60), Rows([0], [0], [5_999], columns))
    assert candidate.expires == expires
    assert candidates(TableSpec("t", ("user",), newest_by), Rows([0], [0], [5_999], columns))[0].expires is None


def test_a_deletion_expires_after_its_record() -> None:
    some = Rows([], [], [], {"user": []}, (Deletion(1, 0, 7_000, {"user": "a"}),))
    (candidate,) = candidates(TableSpec("t", ("user",), None, 60), some)
    assert candidate == Newest(("a",), Order(7_000_000, 1, 0), None, 67)
