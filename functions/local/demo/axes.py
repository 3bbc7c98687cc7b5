"""The ground of a chart: from data to places on the paper, with round ticks. Pure; SVG comes out as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from math import ceil, log10
from typing import Final

STEPS: Final = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of the paper, in pixels, that shows x from 0 to `x_most` and y from 0 to `y_most`."""

    left: float
    top: float
    width: float
    height: float
    x_most: float
    y_most: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height

    def x(self, value: float) -> float:
        """Where a value lies from the left."""
        return self.left + self.width * value / self.x_most

    def y(self, value: float) -> float:
        """Where a value lies from the top."""
        return self.bottom - self.height * value / self.y_most


def ticks(most: float, about: int) -> list[float]:
    """Round values from 0 on, about so many, the last one at or beyond `most`."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / about
    magnitude = 10.0 ** (ceil(log10(rough)) - 1)
    step = next(magnitude * step for step in STEPS if magnitude * step >= rough * 0.999)
    return [number * step for number in range(ceil(most / step - 1e-9) + 1)]


def short(value: float) -> str:
    """12,500 as 12.5k, so that axes stay narrow."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"  # noqa: PLR2004 - what k means


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    """Words at a place; `kind` is the CSS class."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def grid(panel: Panel, y_ticks: list[float]) -> Iterator[str]:
    """Horizontal lines with their values."""
    for value in y_ticks:
        y = panel.y(value)
        yield line(panel.left, y, panel.right, y, "base" if value == 0 else "grid")
        yield text(panel.left - 8, y + 4, short(value), "tick", "end")


def seconds(panel: Panel, about: int) -> Iterator[str]:
    """The time axis below a panel."""
    values = [value for value in ticks(panel.x_most, about) if value <= panel.x_most]
    for value in values:
        yield line(panel.x(value), panel.bottom, panel.x(value), panel.bottom + 4, "base")
        unit = " s" if value == values[-1] else ""
        yield text(panel.x(value), panel.bottom + 18, f"{value:g}{unit}", "tick", "middle")
