"""What happened when: totals a few times a second, and the moments worth marking."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

What = Literal["handover", "kill", "back"]


class Sample(NamedTuple):
    """Records acknowledged by the broker, and settled according to the ledger, `at` seconds after the beginning."""

    at: float
    produced: int
    settled: int


class Mark(NamedTuple):
    """A moment, in seconds after the beginning."""

    at: float
    what: What


class Bin(NamedTuple):
    """Records per second between two times."""

    begin: float
    end: float
    produced: float
    settled: float


def bins(samples: Sequence[Sample], seconds: float, cuts: Sequence[float] = ()) -> list[Bin]:
    """Rates over steps of `seconds`, which also end at each of `cuts`, so that no step belongs to two runtimes."""
    end = samples[-1].at
    steps = [number * seconds for number in range(int(end / seconds) + 1)]
    edges = sorted({*steps, *(cut for cut in cuts if 0 < cut < end), end})
    return [_bin(samples, begin, after) for begin, after in pairwise(edges) if after - begin > seconds / 5]


def _bin(samples: Sequence[Sample], begin: float, end: float) -> Bin:
    first, last = _totals(samples, begin), _totals(samples, end)
    produced, settled = ((after - before) / (end - begin) for before, after in zip(first, last, strict=True))
    return Bin(begin, end, produced, settled)


def _totals(samples: Sequence[Sample], at: float) -> tuple[int, int]:
    index = bisect_right(samples, at, key=lambda sample: sample.at)
    return samples[index - 1][1:] if index else (0, 0)
