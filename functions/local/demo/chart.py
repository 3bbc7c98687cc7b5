"""Throughput and lag over time as one SVG: two panels over the same seconds, with the handover and the kill marked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from functions.local.demo.axes import Panel, grid, line, seconds, text, ticks
from functions.local.demo.timeline import Bin, Mark, Sample, bins

NAMES: Final = {"msk": "Lambda", "worker": "worker"}
MARKS: Final = {"handover": "handover", "kill": "SIGKILL", "back": "settling again"}
LEFT: Final = 44
LABEL: Final = 17  # pixels for one row of labels of marks
THROUGHPUT: Final = 190
LAG: Final = 96
BETWEEN: Final = 58
LETTER: Final = 7.2  # about what a letter takes


@dataclass(frozen=True, slots=True)
class Chart:
    """What to draw, on a paper of `width` pixels. `rates` are records per second over each runtime's time on duty."""

    samples: Sequence[Sample]
    marks: Sequence[Mark]
    rates: dict[str, float]
    width: int

    def svg(self) -> str:
        """The picture; its colours are CSS variables of the page."""
        rows = _rows(self.marks, self._panel(0, 1, 1))
        top = LABEL * (max(rows.values(), default=0) + 1) + 34
        steps = bins(self.samples, self._step(), [mark.at for mark in self.marks if mark.what == "handover"])
        most = max((each.settled for each in steps), default=1)
        lag = max(sample.produced - sample.settled for sample in self.samples)
        upper = self._panel(top, THROUGHPUT, ticks(most, 4)[-1])
        lower = self._panel(upper.bottom + BETWEEN, LAG, ticks(lag, 3)[-1])
        height = lower.bottom + 28
        parts = [
            *grid(upper, ticks(most, 4)), *grid(lower, ticks(lag, 3)), *self._markers(upper, lower, rows),
            *self._throughput(upper, steps), *self._lag(lower), *seconds(lower, 4 + self.width // 160),
        ]  # fmt: skip
        label = "Records settled per second by each runtime, and lag, over time"
        box = f'viewBox="0 0 {self.width} {height:.0f}" role="img" aria-label="{label}"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(parts)}</svg>'

    def _panel(self, top: float, height: float, most: float) -> Panel:
        return Panel(LEFT, top, self.width - LEFT - 10, height, max(self.samples[-1].at, 0.001), most)

    def _step(self) -> float:
        """Seconds a bar: wide enough to see, at least one slice's worth on a quiet run."""
        return max(1.0, ticks(self.samples[-1].at / (self.width / 14), 1)[1])

    def _throughput(self, panel: Panel, steps: Sequence[Bin]) -> Iterator[str]:
        yield text(0, panel.top - 14, "Settled, records/s", "title")
        handover = next((mark.at for mark in self.marks if mark.what == "handover"), panel.x_most)
        for each in steps:
            x, y = panel.x(each.begin) + 0.75, panel.y(each.settled)
            width = max(panel.x(each.end) - panel.x(each.begin) - 1.5, 0.5)
            shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{panel.bottom - y:.1f}"'
            yield f'<rect {shape} rx="1.5" class="{"msk" if each.end <= handover else "worker"}"/>'
        yield from self._produced(panel, steps)
        yield from self._names(panel, handover)

    def _produced(self, panel: Panel, steps: Sequence[Bin]) -> Iterator[str]:
        """The rate of production, cut off where it leaves the panel: a burst is many times what can be settled."""
        rates = [(at, each.produced) for each in steps for at in (each.begin, each.end)]
        points = [(panel.x(at), panel.y(min(rate, panel.y_most))) for at, rate in rates]
        yield f'<polyline points="{_points(points)}" class="produced"/>'
        peak = max(steps, key=lambda each: each.produced, default=Bin(0.0, 0.0, 0.0, 0.0))
        label = "produced, off the scale" if peak.produced > panel.y_most else "produced"
        y = max(panel.y(min(peak.produced, panel.y_most)) - 6, panel.top + 15)
        x = max(panel.left, min(panel.x(peak.end) + 5, panel.right - LETTER * len(label)))
        yield text(x, y, label, "produced-text halo")

    def _names(self, panel: Panel, handover: float) -> Iterator[str]:
        """The runtimes, below what they settled, instead of a legend."""
        names = {name: f"{NAMES[name]} {rate:,.0f}/s" for name, rate in self.rates.items()}
        left = panel.left
        for name, begin, end in (("msk", 0.0, handover), ("worker", handover, panel.x_most)):
            half = LETTER * len(names[name]) / 2
            middle = max(min(panel.x((begin + end) / 2), panel.right - half), left + half)
            yield text(middle, panel.bottom + 18, names[name], f"name halo {name}-text", "middle")
            left = middle + half + 6

    def _lag(self, panel: Panel) -> Iterator[str]:
        most = max(sample.produced - sample.settled for sample in self.samples)
        yield text(0, panel.top - 14, f"Lag, records not yet settled: at most {most:,}", "title halo")
        points = [(panel.x(sample.at), panel.y(sample.produced - sample.settled)) for sample in self.samples]
        ends = [(panel.x(self.samples[-1].at), panel.bottom), (panel.x(self.samples[0].at), panel.bottom)]
        yield f'<polygon points="{_points(points + ends)}" class="lag"/>'
        yield f'<polyline points="{_points(points)}" class="lag-line"/>'

    def _markers(self, upper: Panel, lower: Panel, rows: dict[Mark, int]) -> Iterator[str]:
        for mark, row in rows.items():
            x, y = upper.x(mark.at), LABEL * (row + 1) - 4
            yield line(x, y + 5, x, lower.bottom, f"mark {mark.what}")
            anchor = "end" if x + LETTER * len(_label(mark)) > upper.right else "start"
            yield text(x + (3 if anchor == "start" else -3), y, _label(mark), f"mark-text halo {mark.what}", anchor)


def _rows(marks: Sequence[Mark], panel: Panel) -> dict[Mark, int]:
    """Labels that would run into the one before go one row down."""
    rows: dict[Mark, int] = {}
    free: list[float] = []
    for mark in marks:
        x, width = panel.x(mark.at), LETTER * len(_label(mark))
        begin = x - width if x + width > panel.right else x
        row = next((number for number, after in enumerate(free) if after <= begin), len(free))
        free[row : row + 1] = [begin + width + 6]
        rows[mark] = row
    return rows


def _label(mark: Mark) -> str:
    return f"{MARKS[mark.what]} {mark.at:.1f} s"


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
