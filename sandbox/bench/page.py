"""`report.html` of the benchmark: the report as one page without external resources, in the style of the demo's."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from sandbox.bench.summary import met
from sandbox.demo.chart import Panel, grid, line, text, ticks
from sandbox.demo.page import CSS, DOCUMENT, NARROW, WIDE

EXTRA: Final = """
.bar i.worker { background: var(--worker); } .bar i.msk { background: var(--msk); }
.bar i.other { background: var(--lag); } .spread { stroke: var(--ink); stroke-width: 1.25; }
tr.good td.soft::after, tr.bad td.soft::after { content: ""; }
td { padding-left: 18px; } td.soft { color: var(--soft); font-weight: 400; }
ul.reasons { margin-top: 12px; padding-left: 20px; color: var(--soft); font-size: 14px; }
"""
HEIGHT: Final = 170
GROUPS: Final = {
    "validate": ("Read, and validate at most", "What others do with the same topic, without Tandem's effects."),
    "worker": ("Tandem's worker, all effects in memory", "Decoded, validated, processed, masked, counted, stored."),
    "http": ("Tandem's worker over HTTP", "All sinks, against stores that answer at once: what the client costs."),
    "table": ("A row of the table sink", "New rows, against stores that answer at once."),
    "lambda": ("Lambda", "Parsed events of up to 5,000 records."),
    "start": ("Cold start", "In a fresh process; the first record is settled over HTTP."),
}  # fmt: skip
OURS: Final = {"worker": "worker", "http": "worker", "table": "worker", "lambda": "msk", "start": "msk"}
THEIRS: Final = ("powertools", "put_item", "usual_import", "http_before")
SERIES: Final = {
    "workers": ("Workers at the same time", "records/s of all"),
    "partitions": ("Partitions", "records/s"),
    "sizes": ("Size of a record", "MB/s"),
    "rejects": ("Rejects", "records/s"),
}


class Bar(NamedTuple):
    """One bar of a chart, with the spread of its rounds."""

    label: str
    median: float
    least: float
    greatest: float


def page(report: Mapping[str, Any]) -> str:
    """Return the page of a report, from the content of `report.json` alone."""
    parts = (_top(report), _ratios(report), *_groups(report), _growth(report), _profile(report), _foot(report))
    return DOCUMENT.format(title="Tandem: benchmark", css=CSS + EXTRA, body="\n".join(parts))


def chart(title: str, bars: Sequence[Bar], width: int) -> str:
    """Return bars with the spread of their rounds as one SVG."""
    values = ticks(max(bar.greatest for bar in bars), 4)
    panel = Panel(52, 28, width - 62, HEIGHT, len(bars), values[-1])
    parts = [text(0, 12, title, "title"), *grid(panel, values)]
    for number, bar in enumerate(bars):
        middle, half = panel.x(number + 0.5), min(30.0, panel.width / len(bars) * 0.32)
        y = panel.y(bar.median)
        shape = f'x="{middle - half:.1f}" y="{y:.1f}" width="{2 * half:.1f}" height="{panel.bottom - y:.1f}"'
        parts.append(f'<rect {shape} rx="1.5" class="worker"/>')
        parts.append(line(middle, panel.y(bar.least), middle, panel.y(bar.greatest), "spread"))
        parts.append(text(middle, panel.bottom + 18, bar.label, "tick", "middle"))
    box = f'viewBox="0 0 {width} {HEIGHT + 54}" role="img" aria-label="{escape(title)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(parts)}</svg>'


def _top(report: Mapping[str, Any]) -> str:
    machine = report["machine"]
    words = (
        f"{report['records']:,} logins, {report['rounds']} rounds, everything in turn: medians, with least and "
        f"greatest. {machine['cores']} cores, Python {machine['python']}, {machine['system']}, Apache Kafka "
        f"{report['broker']['version']}. Load before the run: {machine['load_before']}."
    )
    head = '<p class="brand">Tandem benchmark</p><h1>Tandem beside its peers</h1>'
    return f"<header>{head}<p>{escape(words)}</p></header>"


def _ratios(report: Mapping[str, Any]) -> str:
    rows = "".join(map(_ratio, report["ratios"].values()))
    words = "Two measurements of the same round, divided. They hardly depend on the machine."
    return f"<section><h2>Ratios</h2><p>{words}</p><table>{rows}</table></section>"


def _ratio(ratio: Mapping[str, Any]) -> str:
    target = f"{'at least' if ratio['at_least'] else 'at most'} {ratio['target']:g}"
    label = f"<th>{escape(ratio['text'])}<small>{target}</small></th>"
    if "skipped" in ratio:
        return f'<tr>{label}<td class="soft">not measured</td><td></td></tr>'
    spread = f"{ratio['min']:g} to {ratio['max']:g}"
    css = "good" if met(ratio) else "bad"
    return f'<tr class="{css}">{label}<td class="soft">{spread}</td><td>{ratio["median"]:g}</td></tr>'


def _groups(report: Mapping[str, Any]) -> Iterator[str]:
    for group, (title, words) in GROUPS.items():
        measured = {
            name: one for name, one in report["measurements"].items() if one["group"] == group and "skipped" not in one
        }
        if measured:
            bars = "".join(_bars(measured, OURS.get(group, "other")))
            unit = "CPU milliseconds" if group == "start" else "CPU microseconds a record"
            yield f'<section><h2>{title}</h2><p>{words} {unit}.</p><div class="bars">{bars}</div></section>'


def _bars(measured: Mapping[str, Any], css: str) -> Iterator[str]:
    widest = max(one["cpu_microseconds"]["median"] for one in measured.values())
    for name, one in measured.items():
        cpu, rate, peak = one["cpu_microseconds"], one["records_per_second"], one["peak_mib"]
        scale = 1000 if one["group"] == "start" else 1
        small = f"{cpu['min'] / scale:,.4g} to {cpu['max'] / scale:,.4g}"
        if one["group"] != "start":
            small += f" · {rate['median']:,.0f} records/s"
        if peak:
            small += f" · {peak['max']:,.0f} MiB"
        kind = "other" if name in THEIRS else css
        width = 100 * cpu["median"] / widest
        yield f'<div class="reason">{escape(one["label"])}<small>{small}</small></div>'
        bar = f'<i class="{kind}" style="width:{width:.1f}%"></i>'
        yield f'<div class="bar">{bar}<b>{cpu["median"] / scale:,.4g}</b></div>'


def _growth(report: Mapping[str, Any]) -> str:
    sections = []
    for group, (title, unit) in SERIES.items():
        bars = list(series(report, group))
        if bars:
            wide, narrow = (chart(f"{title}: {unit}", bars, width) for width in (WIDE, NARROW))
            sections.append(f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>')
    words = "The worker with all effects in memory. Workers share the cores with each other and with the broker."
    return f"<section><h2>Growth</h2><p>{words}</p>{''.join(sections)}</section>" if sections else ""


def series(report: Mapping[str, Any], group: str) -> Iterator[Bar]:
    """Yield the bars of a series: records per second, or megabytes of records of a size."""
    for one in report["measurements"].values():
        if one["group"] == group and "skipped" not in one:
            scale = one["x"] / 1e6 if group == "sizes" else 1
            rate = {name: value * scale for name, value in one["records_per_second"].items()}
            yield Bar(one["label"], rate["median"], rate["min"], rate["max"])


def _profile(report: Mapping[str, Any]) -> str:
    profiles = report["profile_microseconds"]
    if not profiles:
        return ""
    widest = max(max(profile.values()) for profile in profiles.values())
    charts = "".join(
        f'<h3>{escape(models)}</h3><div class="bars">{_steps(profile, widest)}</div>'
        for models, profile in profiles.items()
    )
    words = (
        "A sampled profile of settling on one thread, by the innermost module of Tandem: what pydantic and json do "
        "counts for the module that calls them. CPU microseconds a record."
    )
    return f"<section><h2>Where the time goes</h2><p>{words}</p>{charts}</section>"


def _steps(profile: Mapping[str, float], widest: float) -> str:
    return "".join(
        f'<div class="reason">{escape(name)}</div>'
        f'<div class="bar"><i class="worker" style="width:{100 * value / widest:.1f}%"></i><b>{value:.2f}</b></div>'
        for name, value in profile.items()
        if value >= 0.05  # noqa: PLR2004 - microseconds
    )


def _foot(report: Mapping[str, Any]) -> str:
    skipped = {one["label"]: one["skipped"] for one in report["measurements"].values() if "skipped" in one}
    reasons = "".join(f"<li>{escape(f'{label}: {reason}')}</li>" for label, reason in skipped.items())
    missing = f'<section><h2>Not measured</h2><ul class="reasons">{reasons}</ul></section>' if reasons else ""
    line_ = f"{report['began']} · {report['command']} · {report['seconds']:,.0f} s"
    return f"{missing}<footer>{escape(line_)}</footer>"
