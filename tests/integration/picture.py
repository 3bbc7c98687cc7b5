"""The dashboard as a picture: every panel, with the results of its queries in a real Prometheus.

Grafana draws it better; this shows its content, and is drawn wherever the tests run. Pure; returns SVG as text.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from sandbox.demo.chart import Panel, line, text, ticks

COLUMN, ROW, GAP, PAD = 46, 31, 8, 12  # pixels: a dashboard has 24 columns, rows of about 30, and gaps of 8
COLOURS: Final = ("#5794f2", "#73bf69", "#f2cc0c", "#ff780a", "#b877d9", "#8ab8ff", "#e02f44", "#96d98d")
STATES: Final = {"green": "#37872d", "orange": "#c4651a", "red": "#c4162a"}
STYLE: Final = """
text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #ccccdc; } .title { font-weight: 600; }
.heading { font-size: 16px; font-weight: 600; } .value { font-size: 30px; font-weight: 600; fill: #fff; }
.tick, .legend { font-size: 10.5px; fill: #9a9aa8; } .panel { fill: #181b1f; stroke: #2a2d33; } .page { fill: #111217; }
.grid, .base { stroke: #2a2d33; } polyline { fill: none; stroke-width: 1.5; }
"""


class Series(NamedTuple):
    """One series: its name, and (seconds, value) in the order of time."""

    name: str
    points: Sequence[tuple[float, float]]


def svg(panels: Sequence[Mapping[str, Any]], found: Mapping[str, Sequence[Series]], seconds: float) -> str:
    """Return the panels of a dashboard; `found` by panel's title, over the last `seconds`."""
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 24 * COLUMN + 2 * PAD, bottom * ROW + 2 * PAD
    drawn = "".join(part for panel in panels for part in _panel(panel, found.get(panel["title"], ()), seconds))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<style>{STYLE}</style><rect class="page" width="{width}" height="{height}"/>{drawn}</svg>'
    )


def value(number: float, unit: str) -> str:
    """Return a number roughly as Grafana formats it."""
    match unit:
        case "percentunit":
            return f"{number:.1%}"
        case "currencyUSD":
            return f"${number:.3g}"
        case "bytes":
            return f"{number / 2**20:.3g} MiB"
        case _:
            label = f"{number / 1000:.3g}k" if number >= 1000 else f"{number:.3g}"
            return label + {"s": " s", "rps": "/s", "ops": "/s"}.get(unit, "")


def _panel(panel: Mapping[str, Any], lines: Sequence[Series], seconds: float) -> Iterator[str]:
    place, title = panel["gridPos"], panel["title"]
    x, y = PAD + place["x"] * COLUMN, PAD + place["y"] * ROW
    if panel["type"] == "row":
        yield text(x, y + 21, title, "heading")
        return
    width, height = place["w"] * COLUMN - GAP, place["h"] * ROW - GAP
    unit, fill = panel["fieldConfig"]["defaults"]["unit"], ""
    if panel["type"] == "stat" and panel["options"]["colorMode"] == "background":
        fill = f' style="fill: {_state(panel, lines[0].points[-1][1])}"'
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" class="panel"{fill}/>'
    yield text(x + 9, y + 18, title, "title")
    match panel["type"]:
        case "stat":
            yield text(x + width / 2, y + height / 2 + 20, value(lines[0].points[-1][1], unit), "value", "middle")
        case "bargauge":
            yield from _bars(Panel(x + 96, y + 30, width - 160, height - 38, 1, 1), lines, unit)
        case _:
            yield from _lines(Panel(x + 58, y + 32, width - 72, height - 78, seconds, 1), lines, unit)
            yield from _legend(x + 9, y + height - 20, width, lines)


def _state(panel: Mapping[str, Any], number: float) -> str:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return STATES[[step["color"] for step in steps if step["value"] is None or number >= step["value"]][-1]]


def _bars(panel: Panel, lines: Sequence[Series], unit: str) -> Iterator[str]:
    most, each = max(one.points[-1][1] for one in lines) or 1, panel.height / len(lines)
    for number, one in enumerate(sorted(lines, key=lambda one: -one.points[-1][1])):
        y, last = panel.top + number * each, one.points[-1][1]
        yield text(panel.left - 8, y + each / 2 + 4, one.name, "legend", "end")
        width, colour = panel.width * last / most, STATES["orange" if last >= 1 else "green"]
        yield f'<rect x="{panel.left}" y="{y + 3}" width="{width:.1f}" height="{each - 6}" fill="{colour}"/>'
        yield text(panel.left + width + 6, y + each / 2 + 4, value(last, unit), "tick")


def _lines(panel: Panel, lines: Sequence[Series], unit: str) -> Iterator[str]:
    most, base = max((v for one in lines for _, v in one.points), default=0), 2**20 if unit == "bytes" else 1
    scale = [base * tick for tick in ticks(most / base, 3)]
    to = Panel(panel.left, panel.top, panel.width, panel.height, panel.x_max, scale[-1])
    for tick in scale:
        yield line(to.left, to.y(tick), to.right, to.y(tick), "grid")
        yield text(to.left - 6, to.y(tick) + 4, value(tick, unit), "tick", "end")
    for before in ticks(to.x_max, 3):
        if before < to.x_max:
            label = f"-{before:g} s" if before else "now"
            yield text(to.right - to.width * before / to.x_max, to.bottom + 15, label, "tick", "middle")
    for number, one in enumerate(lines):
        points = " ".join(f"{to.x(x):.1f},{to.y(y):.1f}" for x, y in one.points)
        yield f'<polyline points="{points}" stroke="{COLOURS[number % len(COLOURS)]}"/>'


def _legend(x: float, y: float, width: float, lines: Sequence[Series]) -> Iterator[str]:
    """Yield as many names as fit into two rows."""
    at, last = x, y + 13
    for number, one in enumerate(lines):
        room = 22 + 6.3 * len(one.name)
        if at + room > x + width - 18 and at > x:
            at, y = x, y + 13
        if y > last:
            return
        yield f'<rect x="{at}" y="{y - 4}" width="10" height="3" fill="{COLOURS[number % len(COLOURS)]}"/>'
        yield f'<text x="{at + 14}" y="{y}" class="legend">{escape(one.name)}</text>'
        at += room
