import pytest

from functions.local.demo.timeline import Bin, Sample, bins

SAMPLES = [Sample(0.0, 0, 0), Sample(0.5, 100, 0), Sample(1.2, 100, 60), Sample(2.0, 200, 60), Sample(3.0, 200, 200)]


def test_rates_by_second() -> None:
    assert bins(SAMPLES, 1.0) == [Bin(0.0, 1.0, 100, 0), Bin(1.0, 2.0, 100, 60), Bin(2.0, 3.0, 0, 140)]


def test_a_cut_ends_a_step() -> None:
    first, cut, rest, *_ = bins(SAMPLES, 1.0, [1.5])
    assert (first.end, cut.begin, cut.end, rest.begin) == (1.0, 1.0, 1.5, 1.5)
    assert cut.settled == pytest.approx(120)
    assert rest.settled == 0
