"""Slices: their laws, and how they are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.slice import Slice


def slice_of(start: int, end: int, offsets: list[int]) -> Slice:
    n = len(offsets)
    return Slice("t", 0, start, end, offsets, [o * 10 for o in offsets], [None] * n, [b""] * n, [()] * n)


@pytest.mark.parametrize(
    ("start", "end", "offsets"),
    [(0, 5, [3, 3]), (0, 5, [4, 2]), (2, 5, [1, 3]), (0, 2, [1, 3]), (3, 2, [])],
)
def test_breaking_a_law_is_refused(start: int, end: int, offsets: list[int]) -> None:
    with pytest.raises(ValueError, match=r"t-0"):
        slice_of(start, end, offsets)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="expected columns of equal length"):
        Slice("t", 0, 0, 1, [0, 1], [0], [None, None], [b"", b""], [(), ()])


@given(st.sets(st.integers(0, 60)), st.integers(0, 60))
def test_until_and_since_split_the_records(offsets: set[int], cut: int) -> None:
    whole = slice_of(0, 61, sorted(offsets))
    head, tail = whole.until(cut), whole.since(cut + 1)
    assert [*head.offsets, *tail.offsets] == list(whole.offsets)
    assert [*head.timestamps, *tail.timestamps] == list(whole.timestamps)
    assert (head.start, head.end, tail.start, tail.end) == (0, cut, cut + 1, 61)


def test_cutting_nothing_returns_the_same_slice() -> None:
    whole = slice_of(5, 9, [6, 8])
    assert whole.since(2) is whole
    assert whole.until(9) is whole
    assert len(whole.since(9)) == 0
