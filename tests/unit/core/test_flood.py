"""The flood limit: which slices it refuses, and which slices the window forgets."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.flood import FloodLimit, Window

LIMIT = FloodLimit(ratio=0.5, over=100)


def after(*slices: tuple[int, int], limit: FloodLimit = LIMIT) -> Window:
    window: Window = ()
    for records, rejects in slices:
        window = limit.extended(window, records, rejects)
    return window


def test_few_records_never_flood() -> None:
    assert LIMIT.excess((), 99, 99) is None


def test_a_slice_of_rejects_floods() -> None:
    assert LIMIT.excess((), 100, 100) == "100 of the last 100 records were rejected, the limit is 50%"


def test_the_ratio_itself_is_no_flood() -> None:
    assert LIMIT.excess((), 100, 50) is None
    assert LIMIT.excess((), 100, 51) is not None


def test_small_slices_add_up() -> None:
    window = after(*[(10, 6)] * 9)
    excess = LIMIT.excess(window, 10, 6)
    assert excess is not None
    assert excess.startswith("60 of the last 100")


def test_slices_outside_the_window_are_forgotten() -> None:
    assert LIMIT.excess(after((100, 0), (100, 0), (100, 50)), 10, 10) is not None
    assert LIMIT.excess(after((100, 0), (100, 0), (100, 50), (100, 0)), 10, 10) is None


def test_a_ratio_of_one_never_refuses() -> None:
    assert FloodLimit(ratio=1.0, over=1).excess(((1000, 1000),), 1000, 1000) is None


def test_small_slices_share_a_pair_and_large_ones_do_not() -> None:
    assert after((5, 1), (7, 2)) == ((12, 3),)
    assert after((5, 1), (8, 2)) == ((5, 1), (8, 2))


def test_slices_without_records_leave_an_empty_pair_at_most() -> None:
    assert after((0, 0), (0, 0), (100, 1), (0, 0)) == ((100, 1), (0, 0))


SLICES = st.lists(
    st.integers(0, 300).flatmap(lambda records: st.tuples(st.just(records), st.integers(0, records))), max_size=60
)


@given(SLICES, st.integers(1, 400))
def test_the_window_holds_the_last_records_and_stays_small(slices: list[tuple[int, int]], over: int) -> None:
    """It covers whole slices, at least `over` records if there were so many, and few more than needed."""
    limit = FloodLimit(0.5, over)
    window = after(*slices, limit=limit)
    assert len(window) <= 17
    covered = sum(records for records, _ in window), sum(rejects for _, rejects in window)
    last_slices = [(0, 0), *accumulate(reversed(slices), lambda a, b: (a[0] + b[0], a[1] + b[1]))]
    assert covered in last_slices
    assert covered[0] >= min(over, sum(records for records, _ in slices))
    if window:
        assert covered[0] - window[0][0] < over


@pytest.mark.parametrize("window", [(), ((3, 1),), ((200, 0), (1, 1))])
def test_extending_a_window_leaves_the_old_one_alone(window: Window) -> None:
    before = tuple(window)
    LIMIT.extended(window, 500, 3)
    assert window == before
