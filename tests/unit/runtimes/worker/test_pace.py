"""The size of slices: it grows while attempts are quick, and shrinks when they are slow or are given up."""

import pytest

from functions.runtimes.worker.pace import FIRST_RECORDS, Pace


def test_it_starts_low_because_nobody_knows_the_pipeline_and_grows_to_the_maximum() -> None:
    pace = Pace(10_000, 75.0)
    sizes = [pace.records]
    for _ in range(5):
        pace.settled(pace.records, 1.0)
        sizes.append(pace.records)
    assert sizes == [FIRST_RECORDS, 2000, 4000, 8000, 10_000, 10_000]
    assert Pace(3, 75.0).records == 3


def test_a_slice_that_was_not_full_tells_nothing_of_larger_ones() -> None:
    pace = Pace(10_000, 75.0)
    pace.settled(10, 1.0)
    assert pace.records == FIRST_RECORDS


@pytest.mark.parametrize(("records", "seconds", "then"), [(1000, 750.0, 100), (1000, 76.0, 986), (1, 300.0, 1)])
def test_a_slow_slice_makes_the_next_one_as_small_as_fits_the_time(records: int, seconds: float, then: int) -> None:
    pace = Pace(10_000, 75.0)
    pace.settled(records, seconds)
    assert pace.records == then


def test_a_slice_that_was_given_up_is_halved() -> None:
    pace = Pace(10_000, 75.0)
    pace.cut_off(9)
    assert pace.records == 4
    pace.cut_off(1)
    assert pace.records == 1
