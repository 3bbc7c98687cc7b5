"""A plan as text: the options, the recommendation, and the crossover as a chart of characters."""

from math import inf, log
from typing import Final

from functions.core.handover_ports import Runtime
from functions.operate.formatting import runs, table
from functions.operate.plan.plan import MONTH_HOURS, Option, Plan, curve_rates

HEAD: Final = ("runtime", "$ a month", "latency", "headroom")
CHART_ROWS: Final = 10
MIN_CHART_COLUMNS: Final = 20
AXIS: Final = 8  # columns of a label and its line


def plan_text(found: Plan, columns: int) -> str:
    """Return the whole text, for a terminal of this width."""
    return "\n".join(
        [
            table(HEAD, map(cells, found.options)),
            "",
            recommendation(found),
            "",
            *basis(found),
            *(["", chart(found, columns)] if found.crossover else []),
        ]
    )


def cells(option: Option) -> tuple[str, ...]:
    """Return an option as the cells under HEAD."""
    headroom = "-" if option.headroom == inf else f"{option.headroom:,.1f} x"
    return option.name, f"{option.dollars:,.2f}", f"{option.latency:.1f} s", headroom


def basis(found: Plan) -> list[str]:
    """Return what a plan is made from, as lines."""
    prices = found.model.prices
    return [
        f"traffic: {found.profile.source}, peak {found.profile.peak:,.0f} records/s",
        f"prices: {prices.region}, {prices.date}, without Kafka, network and storage, which both runtimes share",
    ]


def recommendation(found: Plan, name: str = "PIPELINE") -> str:
    """Return which option is best, and what to do for it with the pipeline of this name."""
    best = found.best
    if best is None:
        return (
            f"none is within {found.wanted_latency:g} s and carries {found.profile.peak:,.0f} records/s: gather for a "
            "shorter time (slice_seconds, window_seconds), or have more partitions or pods"
        )
    if len(set(best.hours)) == 1:
        return f"best: {best.name}: tandem handover {name} --to {best.hours[0]}"
    hours = worker_hours(best)
    command = f"tandem handover {name} --to auto --worker-hours {hours}"
    return f"best: {best.name}: workers {hours} UTC, Lambda otherwise: {command}"


def worker_hours(option: Option) -> str:
    """Return the hours of the workers, such as `08-20,22-23`."""
    hours = [hour for hour, runtime in enumerate(option.hours) if runtime is Runtime.WORKER]
    return ",".join(f"{first:02}-{last + 1:02}" for first, last in runs(hours))


def explanation(found: Plan) -> str:
    """Return the parts of each option, in dollars a month."""
    lines = []
    for each in found.options:
        lines.append(f"{each.name}:")
        lines += [f"  {name:<16}{dollars:>14,.2f}" for name, dollars in each.parts().items()]
    costs = found.model.costs
    lines.append(
        f"a record is {costs.record:.1f} us of CPU on the worker and {costs.handled:.1f} on Lambda, a row "
        f"{costs.row:.0f}, a reject {costs.reject:.0f}, a slice {costs.slice_:,.0f}: docs/performance.md. "
        f"The formulas are in functions/operate/plan/model.py"
    )
    return "\n".join(lines)


def chart(found: Plan, columns: int) -> str:
    """Return dollars a month over records/s, both logarithmic: `l` for Lambda, `w` for workers, `x` for both."""
    width = max(MIN_CHART_COLUMNS, min(columns, 78) - AXIS)
    rates = curve_rates(width - 1)
    lines = {
        "l": [found.model.function(rate).dollars * MONTH_HOURS for rate in rates],
        "w": [found.model.worker(rate).dollars * MONTH_HOURS for rate in rates],
    }
    low, high = min(map(min, lines.values())), max(map(max, lines.values()))
    grid = [[" "] * width for _ in range(CHART_ROWS)]
    for sign, values in lines.items():
        for column, value in enumerate(values):
            cells = grid[_row(value, low, high)]
            cells[column] = "x" if cells[column] not in {" ", sign} else sign
    labels = {0: high, CHART_ROWS - 1: low}
    drawn = [f"{_short(labels[row]) if row in labels else '':>6} |{''.join(cells)}" for row, cells in enumerate(grid)]
    scale = f"{_short(rates[0])} records/s".ljust(width - 4) + f"{_short(rates[-1]):>4}"
    assert found.crossover is not None  # noqa: S101 - the caller's
    return "\n".join([
        "$ a month: l Lambda, w workers, x the same", *drawn, f"{'':>6} +{'-' * width}", f"{'':>8}{scale[:width]}",
        f"workers are cheaper from {_short(found.crossover)} records/s on",
    ])  # fmt: skip


def _row(value: float, low: float, high: float) -> int:
    share = log(value / low) / log(high / low) if high > low else 0.0
    return CHART_ROWS - 1 - round(share * (CHART_ROWS - 1))


def _short(value: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
