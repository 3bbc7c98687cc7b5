"""The figures of docs/performance.md, from a recorded report of `make bench`: benchmark.json beside this file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from sandbox.bench.page import SERIES, series
from sandbox.bench.sizing import Load, costs, table
from sandbox.bench.summary import met

REPORT: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("benchmark.json").read_text(encoding="utf-8"))
PICTURED: Final = (
    "bare",
    "hand",
    "aiokafka",
    "quix",
    "faststream",
    "kafka_connect",
    "worker_pydantic",
    "worker_msgspec",
)
RATES: Final = (1e3, 1e4, 1e5, 1e6, 1e7)
STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1c2430}.b{font-weight:600}.o{fill:#8a94a3}.w{fill:#15788c}"
    "@media(prefers-color-scheme:dark){text{fill:#e8eaee}.w{fill:#4fb6c9}}"
)
LABEL, BAR, ROW = 250, 420, 26  # pixels


def about() -> str:
    """The run, with its command."""
    machine = REPORT["machine"]
    minutes, before, after = REPORT["seconds"] / 60, machine["load_before"], machine["load_after"]
    cores, when = machine["cores"], f"with Python {machine['python']}, {REPORT['began'][:10]}, in {minutes:.0f} minutes"
    return (
        f"`{REPORT['command']}` on {cores} cores {when}. The load was {before:.0f} before and {after:.0f} after it.\n"
        f"Above {cores}, other processes shared the cores: CPU time and ratios hold, records/s are a lower bound."
    )


def ratios() -> str:
    """The ratios and what is to be reached."""
    return _table(("ratio", "median", "least to greatest", "to reach"), map(_ratio, REPORT["ratios"].values()))


def measurements() -> str:
    """All measurements but those of growth."""
    head = ("measurement", "µs CPU a record", "records/s", "peak MiB")
    rows = (one for one in REPORT["measurements"].values() if one["group"] not in SERIES and one["group"] != "start")
    return _table(head, map(_measurement, rows))


def start() -> str:
    """The cold start, in milliseconds."""
    rows = (one for one in REPORT["measurements"].values() if one["group"] == "start" and "skipped" not in one)
    return _table(
        ("cold start", "ms CPU"),
        ((one["label"], f"{one['cpu_microseconds']['median'] / 1000:,.0f}") for one in rows),
    )


def growth() -> str:
    """A table for each series."""
    return "\n\n".join(
        _table((SERIES[group][0], SERIES[group][1], "µs CPU a record"), _series(group)) for group in SERIES
    )


def profile() -> str:
    """The sampled profile."""
    profiles = REPORT["profile_microseconds"]
    most = {
        name: max(profile.get(name, 0) for profile in profiles.values())
        for profile in profiles.values()
        for name in profile
    }
    rows = (
        (f"`{name}`", *(f"{profile.get(name, 0):.1f}" for profile in profiles.values()))
        for name, value in sorted(most.items(), key=lambda step: -step[1])
        if value >= 0.1
    )
    return _table(("module", *(f"{models}, µs CPU a record" for models in profiles)), rows)


def floor() -> str:
    """What no worker can leave out, beside what is to be reached."""
    measured = REPORT["measurements"]
    read, hand = (measured[name]["cpu_microseconds"]["median"] for name in ("bare", "hand"))
    rows = []
    for models, profile in REPORT["profile_microseconds"].items():
        ratio = REPORT["ratios"][f"worker_{models}_to_hand"]
        decode, own = profile["core/decode.py"], profile["pipelines/logins.py"]
        least = (read + decode + own) / hand
        rows.append(
            (
                models,
                f"{read:.1f}",
                f"{decode:.1f}",
                f"{own:.1f}",
                f"**{least:.2f}**",
                f"{ratio['target']:g}",
                f"{ratio['median']:.2f}",
            )
        )
    head = ("models", "read", "decode", "`process`", "their sum / by hand", "to reach", "the worker")
    return _table(head, rows)


def sizes() -> str:
    """What loads need, with few and with only distinct keys."""
    measured = costs(REPORT)
    parts = (
        ("a record, all effects in memory", measured.record), ("the same on Lambda", measured.handled),
        ("a row of the table sink", measured.row), ("a rejected record", measured.reject),
        ("a slice, however short", measured.slice_),
    )  # fmt: skip
    listed = _table(("part", "µs CPU"), ((name, f"{value:,.0f}") for name, value in parts))
    loads = (Load(rate, keys=keys) for rate in RATES for keys in (0.01, 1.0))
    return f"{listed}\n\n{table(measured, loads)}"


def picture() -> str:
    """CPU time for one record of the peers and the worker, as an SVG."""
    shown = [REPORT["measurements"][name] for name in PICTURED if "skipped" not in REPORT["measurements"][name]]
    widest = max(one["cpu_microseconds"]["median"] for one in shown)
    rows = "".join(_bar(number, one, widest) for number, one in enumerate(shown))
    size = f'viewBox="0 0 {LABEL + BAR + 60} {ROW * len(shown) + 4}"'
    title = "<title>CPU microseconds for one record</title>"
    about = "<desc>A bar for each peer, which validates at most, and for Tandem's worker with all effects.</desc>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{title}{about}<style>{STYLE}</style>{rows}</svg>\n'
    )


def _bar(number: int, one: Mapping[str, Any], widest: float) -> str:
    value, y = one["cpu_microseconds"]["median"], ROW * number
    width, css = BAR * value / widest, "w" if one["group"] == "worker" else "o"
    return (
        f'<text x="{LABEL - 10}" y="{y + 17}" text-anchor="end">{escape(one["label"])}</text>'
        f'<rect x="{LABEL}" y="{y + 4}" width="{width:.1f}" height="18" rx="2" class="{css}"/>'
        f'<text x="{LABEL + width + 8:.1f}" y="{y + 17}" class="b">{value:.1f}</text>'
    )


def _ratio(ratio: Mapping[str, Any]) -> tuple[str, ...]:
    target = f"{'at least' if ratio['at_least'] else 'at most'} {ratio['target']:g}"
    if "skipped" in ratio:
        return ratio["text"], "not measured", "", target
    reached = "" if met(ratio) else " (not reached)"
    return ratio["text"], f"**{ratio['median']:.3g}**", f"{ratio['min']:.3g} to {ratio['max']:.3g}", target + reached


def _measurement(one: Mapping[str, Any]) -> tuple[str, ...]:
    if "skipped" in one:
        return one["label"], "not measured", "", ""
    cpu, peak = one["cpu_microseconds"], one["peak_mib"]
    figures = f"{_short(cpu['median'])} ({_short(cpu['min'])} to {_short(cpu['max'])})"
    return one["label"], figures, f"{one['records_per_second']['median']:,.0f}", f"{peak['max']:.0f}" if peak else ""


def _series(group: str) -> Iterator[tuple[str, ...]]:
    measured = [one for one in REPORT["measurements"].values() if one["group"] == group and "skipped" not in one]
    for bar, one in zip(series(REPORT, group), measured, strict=True):
        yield (
            bar.label,
            f"{bar.median:,.3g}" if bar.median < 1000 else f"{bar.median:,.0f}",
            (f"{one['cpu_microseconds']['median']:,.1f}"),
        )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    line = "|---|" + "--:|" * (len(names) - 1)
    return "\n".join([f"| {' | '.join(names)} |", line, *(f"| {' | '.join(row)} |" for row in rows)])
