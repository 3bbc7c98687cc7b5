"""The crossover as an SVG: dollars a month over records/s, both logarithmic, for light and dark pages."""

from collections.abc import Callable
from html import escape
from math import ceil, floor, log10
from typing import Final

from functions.operate.plan.plan import MONTH_HOURS, Plan, curve_rates

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 76, 24, 52, 52
NAMED: Final = 150  # the step at which the lines have their names: they are far from each other there
STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1c2430}.t{font-weight:600;font-size:15px}.g{stroke:#d7dce3}"
    ".l{fill:none;stroke:#b4541a;stroke-width:2.5}.w{fill:none;stroke:#15788c;stroke-width:2.5}"
    ".lt{fill:#b4541a;font-weight:600}.wt{fill:#15788c;font-weight:600}.x{stroke:#6a7280;stroke-dasharray:4 3}"
    "@media(prefers-color-scheme:dark){text{fill:#e8eaee}.g{stroke:#3a424e}.l{stroke:#f0a26b}.w{stroke:#4fb6c9}"
    ".lt{fill:#f0a26b}.wt{fill:#4fb6c9}.x{stroke:#9aa3b0}}"
)


def picture(found: Plan) -> str:
    """Return the SVG of a plan."""
    rates = curve_rates()
    function = [found.model.function(rate).dollars * MONTH_HOURS for rate in rates]
    worker = [found.model.worker(rate).dollars * MONTH_HOURS for rate in rates]
    low, high = floor(log10(min(function + worker))), ceil(log10(max(function + worker)))
    first, last = log10(rates[0]), log10(rates[-1])

    def x(rate: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (log10(rate) - first) / (last - first)

    def y(dollars: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (log10(dollars) - low) / (high - low)

    def line(values: list[float], css: str) -> str:
        points = " ".join(f"{x(rate):.1f},{y(value):.1f}" for rate, value in zip(rates, values, strict=True))
        return f'<polyline points="{points}" class="{css}"/>'

    parts = [f'<text x="{LEFT}" y="24" class="t">Dollars a month, at a constant rate</text>']
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{right}" y2="{at:.1f}" class="g"/>')
        parts.append(f'<text x="{LEFT - 10}" y="{at + 4:.1f}" text-anchor="end">${_power(power)}</text>')
    parts += [
        f'<text x="{x(10.0**power):.1f}" y="{bottom + 20}" text-anchor="middle">{_power(power)}</text>'
        for power in range(ceil(first), floor(last) + 1)
    ]
    parts.append(f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">records/s</text>')
    parts += [line(function, "l"), line(worker, "w"), *_names(function, worker, x(rates[NAMED]), y)]
    if found.crossover is not None:
        at = x(found.crossover)
        label = f"workers are cheaper from {found.crossover:,.3g} records/s on"
        parts.append(f'<line x1="{at:.1f}" y1="{TOP - 20}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" class="x"/>')
        parts.append(f'<text x="{at + 6:.1f}" y="{TOP - 8}">{escape(label)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    about = "<title>Lambda and workers, dollars a month over records per second</title>"
    about += "<desc>Lambda costs less at low rates, workers above the crossover, which a dashed line marks.</desc>"
    return f"{head}{about}<style>{STYLE}</style>{''.join(parts)}</svg>\n"


def _names(function: list[float], worker: list[float], left: float, y: Callable[[float], float]) -> list[str]:
    return [
        f'<text x="{left:.1f}" y="{y(function[NAMED]) - 10:.1f}" class="lt">Lambda</text>',
        f'<text x="{left:.1f}" y="{y(worker[NAMED]) + 22:.1f}" class="wt">workers</text>',
    ]


def _power(power: int) -> str:
    for size, unit in ((6, "M"), (3, "k")):
        if power >= size:
            return f"{10 ** (power - size)}{unit}"
    return f"{10.0**power:g}"
