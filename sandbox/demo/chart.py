"""Throughput and lag over time as one SVG: two panels over the same seconds, with the handover and the kill marked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, log10
from typing import Final

from sandbox.demo.report import Bin, Moment, ProgressSample, bins

STEPS: Final = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of the picture, in pixels, that shows x from 0 to `x_max` and y from 0 to `y_max`."""

    left: float
    top: float
    width: float
    height: float
    x_max: float
    y_max: float

    @property
    def right(self) -> float:
        """The x of the right edge, in pixels."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The y of the lower edge, in pixels."""
        return self.top + self.height

    def x(self, value: float) -> float:
        """Return the pixel of a value, from the left."""
        return self.left + self.width * value / self.x_max

    def y(self, value: float) -> float:
        """Return the pixel of a value, from the top."""
        return self.bottom - self.height * value / self.y_max


def ticks(maximum: float, about: int) -> list[float]:
    """Return about so many round values from 0 on, the last one at or beyond `maximum`."""
    if maximum <= 0:
        return [0.0, 1.0]
    rough = maximum / about
    magnitude = 10.0 ** (ceil(log10(rough)) - 1)
    step = next(magnitude * step for step in STEPS if magnitude * step >= rough * 0.999)
    return [number * step for number in range(ceil(maximum / step - 1e-9) + 1)]


def short(value: float) -> str:
    """Return 12,500 as 12.5k, so that axes stay narrow."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"  # noqa: PLR2004 - what k means


def text(x: float, y: float, words: str, css: str, anchor: str = "start") -> str:
    """Return words at a position; `css` is their class."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """Return a straight line; `css` is its class."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def grid(panel: Panel, y_ticks: list[float]) -> Iterator[str]:
    """Yield horizontal lines with their values."""
    for value in y_ticks:
        y = panel.y(value)
        yield line(panel.left, y, panel.right, y, "base" if value == 0 else "grid")
        yield text(panel.left - 8, y + 4, short(value), "tick", "end")


def seconds(panel: Panel, about: int) -> Iterator[str]:
    """Yield the time axis below a panel, in seconds."""
    values = [value for value in ticks(panel.x_max, about) if value <= panel.x_max]
    for value in values:
        yield line(panel.x(value), panel.bottom, panel.x(value), panel.bottom + 4, "base")
        unit = " s" if value == values[-1] else ""
        yield text(panel.x(value), panel.bottom + 18, f"{value:g}{unit}", "tick", "middle")


NAMES: Final = {"msk": "Lambda", "worker": "worker"}
MARKS: Final = {"handover": "handover", "kill": "SIGKILL", "back": "settling again"}
LEFT: Final = 44
LABEL: Final = 17  # pixels for one row of labels
THROUGHPUT: Final = 190
LAG: Final = 96
BETWEEN: Final = 58
LETTER: Final = 7.2  # pixels, the width of a letter, about


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart `width` pixels wide. `rates` are records per second over the time that each runtime was active."""

    samples: Sequence[ProgressSample]
    moments: Sequence[Moment]
    rates: dict[str, float]
    width: int

    def svg(self) -> str:
        """Return the picture; its colours are CSS variables of the page."""
        rows = _rows(self.moments, self._panel(0, 1, 1))
        top = LABEL * (max(rows.values(), default=0) + 1) + 34
        steps = bins(
            self.samples, self._step(), [moment.seconds for moment in self.moments if moment.kind == "handover"]
        )
        most = max((bin_.settled for bin_ in steps), default=1)
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
        return Panel(LEFT, top, self.width - LEFT - 10, height, max(self.samples[-1].seconds, 0.001), most)

    def _step(self) -> float:
        """Return the seconds of a bar: at least 1, and wide enough to see."""
        return max(1.0, ticks(self.samples[-1].seconds / (self.width / 14), 1)[1])

    def _throughput(self, panel: Panel, steps: Sequence[Bin]) -> Iterator[str]:
        yield text(0, panel.top - 14, "Settled, records/s", "title")
        handover = next((moment.seconds for moment in self.moments if moment.kind == "handover"), panel.x_max)
        for bin_ in steps:
            x, y = panel.x(bin_.begin) + 0.75, panel.y(bin_.settled)
            width = max(panel.x(bin_.end) - panel.x(bin_.begin) - 1.5, 0.5)
            shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{panel.bottom - y:.1f}"'
            yield f'<rect {shape} rx="1.5" class="{"msk" if bin_.end <= handover else "worker"}"/>'
        yield from self._produced(panel, steps)
        yield from self._names(panel, handover)

    def _produced(self, panel: Panel, steps: Sequence[Bin]) -> Iterator[str]:
        """Yield the rate of production, cut off at the panel's top: a burst is many times what can be settled."""
        rates = [(at, bin_.produced) for bin_ in steps for at in (bin_.begin, bin_.end)]
        points = [(panel.x(at), panel.y(min(rate, panel.y_max))) for at, rate in rates]
        yield f'<polyline points="{_points(points)}" class="produced"/>'
        peak = max(steps, key=lambda bin_: bin_.produced, default=Bin(0.0, 0.0, 0.0, 0.0))
        label = "produced, off the scale" if peak.produced > panel.y_max else "produced"
        y = max(panel.y(min(peak.produced, panel.y_max)) - 6, panel.top + 15)
        x = max(panel.left, min(panel.x(peak.end) + 5, panel.right - LETTER * len(label)))
        yield text(x, y, label, "produced-text halo")

    def _names(self, panel: Panel, handover: float) -> Iterator[str]:
        """Yield the runtimes' names below what they settled, instead of a legend."""
        names = {name: f"{NAMES[name]} {rate:,.0f}/s" for name, rate in self.rates.items()}
        left = panel.left
        for name, begin, end in (("msk", 0.0, handover), ("worker", handover, panel.x_max)):
            half = LETTER * len(names[name]) / 2
            middle = max(min(panel.x((begin + end) / 2), panel.right - half), left + half)
            yield text(middle, panel.bottom + 18, names[name], f"name halo {name}-text", "middle")
            left = middle + half + 6

    def _lag(self, panel: Panel) -> Iterator[str]:
        most = max(sample.produced - sample.settled for sample in self.samples)
        yield text(0, panel.top - 14, f"Lag, records not yet settled: at most {most:,}", "title halo")
        points = [(panel.x(sample.seconds), panel.y(sample.produced - sample.settled)) for sample in self.samples]
        ends = [(panel.x(self.samples[-1].seconds), panel.bottom), (panel.x(self.samples[0].seconds), panel.bottom)]
        yield f'<polygon points="{_points(points + ends)}" class="lag"/>'
        yield f'<polyline points="{_points(points)}" class="lag-line"/>'

    def _markers(self, upper: Panel, lower: Panel, rows: dict[Moment, int]) -> Iterator[str]:
        for moment, row in rows.items():
            x, y = upper.x(moment.seconds), LABEL * (row + 1) - 4
            yield line(x, y + 5, x, lower.bottom, f"mark {moment.kind}")
            anchor = "end" if x + LETTER * len(_label(moment)) > upper.right else "start"
            yield text(x + (3 if anchor == "start" else -3), y, _label(moment), f"mark-text halo {moment.kind}", anchor)


def _rows(moments: Sequence[Moment], panel: Panel) -> dict[Moment, int]:
    """Return the row of each label: one that would overlap the label before it moves down a row."""
    rows: dict[Moment, int] = {}
    free: list[float] = []
    for moment in moments:
        x, width = panel.x(moment.seconds), LETTER * len(_label(moment))
        begin = x - width if x + width > panel.right else x
        row = next((number for number, after in enumerate(free) if after <= begin), len(free))
        free[row : row + 1] = [begin + width + 6]
        rows[moment] = row
    return rows


def _label(moment: Moment) -> str:
    return f"{MARKS[moment.kind]} {moment.seconds:.1f} s"


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
