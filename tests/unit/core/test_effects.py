"""Effects: counts, table candidates and messages of rows."""

import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.effects import Count, Order, counts, messages, newest, table_key
from functions.core.kinds import Integer, Text, Uuid
from functions.core.rows import Delete, Rows
from functions.core.sinks import HOUR, MINUTE, Counters, Table, Topic

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def rows(users: list[object], minutes: list[float], deletes: tuple[Delete, ...] = ()) -> Rows:
    at = [T0 + timedelta(minutes=m) for m in minutes]
    n = len(users)
    return Rows(list(range(10, 10 + n)), [0] * n, {"user": users, "at": at, "n": list(range(n))}, deletes)


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


def test_values_that_look_alike_are_different_groups() -> None:
    sink = Counters("c", by=("user", "n"), every=HOUR, at="at")
    assert {count.group for count in counts(sink, rows(["a&n=0", "a"], [0, 0]))} == {"user=a%26n%3D0&n=0", "user=a&n=1"}


def test_buckets_before_1970_round_down() -> None:
    early = Rows([0], [0], {"at": [datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)]})
    assert counts(Counters("c", by=(), every=MINUTE, at="at"), early)[0].bucket == -60


TABLE = Table("t", key="user", newest_by="at")


def test_the_newest_row_of_each_key_is_the_candidate() -> None:
    found = {each.key: each for each in newest(TABLE, Text(), 3, rows(["a", "b", "a", "a"], [2, 0, 5, 1]))}
    assert found["a"].row == {"user": "a", "at": T0 + timedelta(minutes=5), "n": 2}
    assert found["a"].order == Order(int((T0 + timedelta(minutes=5)).timestamp()) * 1_000_000, 12, 3)
    assert set(found) == {"a", "b"}


def test_of_equally_new_rows_the_later_offset_wins() -> None:
    (one,) = newest(TABLE, Text(), 0, rows(["a", "a"], [1, 1]))
    assert one.order.offset == 11


def test_a_delete_wins_over_older_rows_only() -> None:
    after, before = int(T0.timestamp() * 1000) + 120_000, int(T0.timestamp() * 1000)
    deletes = (Delete(20, after, b"a"), Delete(21, before, b"b"), Delete(22, before, b"c"))
    found = {each.key: each.row is None for each in newest(TABLE, Text(), 0, rows(["a", "b"], [1, 1], deletes))}
    assert found == {"a": True, "b": False, "c": True}


def test_orders_of_days_and_integers() -> None:
    some = Rows([0], [0], {"user": ["a"], "at": [date(2026, 1, 2)], "n": [7]})
    assert newest(Table("t", "user", "at"), Text(), 0, some)[0].order.newest == date(2026, 1, 2).toordinal()
    assert newest(Table("t", "user", "n"), Text(), 0, some)[0].order.newest == 7


def test_table_keys() -> None:
    one = UUID(int=1)
    assert table_key(Text(), b"a") == "a"
    assert table_key(Integer(), b"17") == 17
    assert table_key(Uuid(), str(one).upper().encode()) == str(one)


@pytest.mark.parametrize("kind", [Text(), Integer(), Uuid()])
@pytest.mark.parametrize("key", [b"", b"\xff"])
def test_what_is_no_key_is_refused(kind: Text | Integer | Uuid, key: bytes) -> None:
    with pytest.raises(ValueError, match=r"empty|decode"):
        table_key(kind, key)


def test_messages_carry_their_source() -> None:
    first, second = messages(Topic("out", key="user"), "in/3", rows(["a", None], [0, 1]))
    assert (first.key, second.key) == (b"a", None)
    assert json.loads(first.value) == {"user": "a", "at": "2026-01-01T00:00:00Z", "n": 0}
    assert [each.headers for each in (first, second)] == [
        [("tandem-source", b"in/3/10")],
        [("tandem-source", b"in/3/11")],
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=12), st.integers(1, 11))
def test_candidates_do_not_depend_on_how_rows_are_sliced(pairs: list[tuple[str, int]], cut: int) -> None:
    whole = rows([user for user, _ in pairs], [minute for _, minute in pairs])
    parts = [
        Rows(whole.offsets[s], whole.timestamps[s], {k: v[s] for k, v in whole.columns.items()})
        for s in (slice(0, cut), slice(cut, None))
    ]
    best: dict[object, Order] = {}
    for each in (candidate for some in parts for candidate in newest(TABLE, Text(), 0, some)):
        best[each.key] = max(each.order, best.get(each.key, each.order))
    assert best == {each.key: each.order for each in newest(TABLE, Text(), 0, whole)}
