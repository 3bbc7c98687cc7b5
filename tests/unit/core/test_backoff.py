"""Backoff: bounds, doubling, jitter."""

from hypothesis import given
from hypothesis import strategies as st

from functions.core.backoff import Backoff


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_bounded(attempt: int, jitter: float) -> None:
    assert 0.05 <= Backoff(initial_seconds=0.1, max_seconds=3.0).delay(attempt, jitter) <= 3.0


def test_delays_double_up_to_the_maximum() -> None:
    assert [Backoff(1.0, 5.0).delay(attempt, 0.0) for attempt in (1, 2, 3, 4, 9)] == [0.5, 1.0, 2.0, 2.5, 2.5]


def test_jitter_spreads_over_half_of_the_delay() -> None:
    assert Backoff(1.0, 5.0).delay(1, 0.5) == 0.75
