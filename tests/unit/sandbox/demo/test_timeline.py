import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.demo.report import Bin, ProgressSample, bins

SAMPLES = [
    ProgressSample(0.0, 0, 0),
    ProgressSample(0.5, 100, 0),
    ProgressSample(1.2, 100, 60),
    ProgressSample(2.0, 200, 60),
    ProgressSample(3.0, 200, 200),
]


def test_rates_by_second() -> None:
    assert bins(SAMPLES, 1.0) == [Bin(0.0, 1.0, 100, 0), Bin(1.0, 2.0, 100, 60), Bin(2.0, 3.0, 0, 140)]


def test_a_cut_ends_a_step() -> None:
    first, cut, rest, *_ = bins(SAMPLES, 1.0, [1.5])
    assert (first.end, cut.begin, cut.end, rest.begin) == (1.0, 1.0, 1.5, 1.5)
    assert cut.settled == pytest.approx(120)
    assert rest.settled == 0


def test_a_short_remainder_joins_the_step_before() -> None:
    *_, last = bins([*SAMPLES, ProgressSample(3.1, 200, 310)], 1.0)
    assert (last.begin, last.end) == (2.0, 3.1)
    assert last.settled == pytest.approx(250 / 1.1)


@given(
    st.lists(st.tuples(st.floats(0.001, 3), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=30),
    st.floats(0.1, 5),
    st.lists(st.floats(0, 100), max_size=2),
)
def test_the_steps_cover_every_record(advances: list[tuple[float, int, int]], step: float, cuts: list[float]) -> None:
    samples = [ProgressSample(0.0, 0, 0)]
    for seconds, produced, settled in advances:
        last = samples[-1]
        samples.append(ProgressSample(last.seconds + seconds, last.produced + produced, last.settled + settled))
    found = bins(samples, step, cuts)
    assert sum((each.end - each.begin) * each.produced for each in found) == pytest.approx(samples[-1].produced)
    assert sum((each.end - each.begin) * each.settled for each in found) == pytest.approx(samples[-1].settled)
    assert (found[0].begin, found[-1].end) == (0.0, samples[-1].seconds)
