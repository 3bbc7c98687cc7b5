"""The flood limit."""

import pytest

from functions.core.errors import Flood
from functions.core.flood import FloodGate, FloodLimit


def gate() -> FloodGate:
    return FloodGate(FloodLimit(ratio=0.5, over=100))


def test_few_records_never_flood() -> None:
    gate().check(99, 99)


def test_a_slice_of_rejects_floods_and_does_so_again() -> None:
    one = gate()
    for _ in range(2):
        with pytest.raises(Flood, match="100 of the last 100 records were rejected, the limit is 50%"):
            one.check(100, 100)


def test_small_slices_add_up() -> None:
    one = gate()
    for _ in range(9):
        one.check(10, 6)
        one.passed(10, 6)
    with pytest.raises(Flood, match="60 of the last 100"):
        one.check(10, 6)


def test_what_left_the_window_is_forgotten() -> None:
    one = gate()
    one.passed(100, 0)
    one.passed(100, 0)
    one.passed(100, 50)
    with pytest.raises(Flood):
        one.check(10, 10)
    one.passed(100, 0)
    one.check(10, 10)


def test_a_ratio_of_one_never_refuses() -> None:
    FloodGate(FloodLimit(ratio=1.0, over=1)).check(1000, 1000)
