"""`report.html`: the report as one page without external resources, for light and dark, wide and narrow screens."""

from collections.abc import Iterator
from html import escape
from typing import Any, Final

from sandbox.demo.chart import Chart
from sandbox.demo.report import RATES_ARE_OF, Moment, ProgressSample, checks, headline

CSS: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6877; --paper: #fbfaf8; --rule: #e3e0da; --faint: #f1efeb;
  --msk: #c96f16; --worker: #15788c; --good: #1d7a46; --bad: #bf2c23; --lag: #8a94a3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --soft: #9aa5b4; --paper: #14181e; --rule: #2b323c;
  --faint: #1d232b; --msk: #eb9a49; --worker: #4fb6c9; --good: #5cc48a; --bad: #ff7d72; --lag: #76828f; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 48px 40px 32px; font-variant-numeric: tabular-nums; }
.brand, footer { color: var(--soft); font-size: 14px; }
h1 { font-size: 40px; line-height: 1.15; letter-spacing: -.02em; margin: 6px 0 12px; text-wrap: balance; }
h2 { font-size: 17px; margin: 0 0 6px; }
header p, section > p { color: var(--soft); max-width: 72ch; text-wrap: pretty; }
section { margin-top: 44px; }
.problems { margin-top: 12px; padding-left: 20px; color: var(--bad); font-size: 14px; }
.good { color: var(--good); } .bad { color: var(--bad); } .msk-text { color: var(--msk); fill: var(--msk); }
.worker-text { color: var(--worker); fill: var(--worker); }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); margin-top: 32px;
  border-block: 1px solid var(--rule); }
.figures div { padding: 16px 16px 14px 20px; border-left: 1px solid var(--rule); }
.figures div:first-child { border-left: 0; padding-left: 0; }
.figures b { display: block; font-size: 30px; line-height: 1.2; font-weight: 600; letter-spacing: -.01em; }
.figures span { color: var(--soft); font-size: 14px; }
svg { display: block; width: 100%; height: auto; overflow: visible; font-size: 12.5px; margin-top: 14px; }
.narrow { display: none; }
.grid { stroke: var(--rule); } .base { stroke: var(--lag); }
.halo { paint-order: stroke; stroke: var(--paper); stroke-width: 5px; stroke-linejoin: round; }
.tick, .produced-text { fill: var(--soft); } .title { fill: var(--ink); font-size: 13.5px; } .name { font-weight: 600; }
rect.msk { fill: var(--msk); } rect.worker { fill: var(--worker); }
.produced { fill: none; stroke: var(--ink); stroke-width: 1.25; stroke-dasharray: 3 2.5; opacity: .75; }
.lag { fill: var(--lag); opacity: .22; } .lag-line { fill: none; stroke: var(--lag); stroke-width: 1.5; }
.mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 3; } .mark-text { fill: var(--ink); font-weight: 600; }
.mark.kill { stroke: var(--bad); } .mark-text.kill { fill: var(--bad); }
.mark.back { stroke: var(--soft); } .mark-text.back { fill: var(--soft); font-weight: 400; }
.bars { display: grid; grid-template-columns: minmax(150px, max-content) 1fr; gap: 12px 22px;
  align-items: center; margin-top: 16px; }
.reason { line-height: 1.3; } small { display: block; color: var(--soft); font-size: 13px; font-weight: 400; }
.bar { display: flex; align-items: center; gap: 10px; padding-right: 64px; }
.bar i { height: 22px; min-width: 2px; border-radius: 2px; background: var(--bad); opacity: .78; flex: none; }
.bar b { font-weight: 600; }
table { width: 100%; border-collapse: collapse; margin-top: 12px; }
tr { border-top: 1px solid var(--rule); } tr:last-child { border-bottom: 1px solid var(--rule); }
th { text-align: left; font-weight: 500; padding: 9px 0; color: var(--ink); }
th small { display: inline; margin-left: 10px; }
td { text-align: right; font-weight: 600; white-space: nowrap; }
tr.good td::after { content: " ✓"; } tr.bad td::after { content: " ✗"; }
footer { margin-top: 36px; }
@media (max-width: 640px) {
  main { padding: 28px 18px; } h1 { font-size: 30px; } section { margin-top: 34px; }
  .figures { grid-template-columns: 1fr 1fr; } .figures div { padding-left: 16px; }
  .figures div:nth-child(odd) { border-left: 0; padding-left: 0; }
  .figures div:nth-child(n+3) { border-top: 1px solid var(--rule); }
  .figures b { font-size: 26px; } .wide { display: none; } .narrow { display: block; }
  th small { display: block; margin-left: 0; }
  .bars { grid-template-columns: 1fr; gap: 4px; } .bar { margin-bottom: 10px; }
}
"""


WIDE: Final = 900
NARROW: Final = 350  # a phone, in its own pixels, so that letters keep their size
BROKERS: Final = {"apache": "Apache Kafka", "docker": "Apache Kafka", "embedded": "librdkafka's embedded broker"}
REASONS: Final = {
    "undecodable": "not JSON",
    "invalid": "JSON, but not a login",
    "rejected": "a login, but nonsense",
    "failed": "the pipeline's own error",
    "unstorable": "no sink can hold it",
    "tombstone": "no value",
}
DOCUMENT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{css}</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""


def page(report: dict[str, Any]) -> str:
    """Return the page of a report, from the content of `report.json` alone."""
    parts = (_top(report), _figures(report), _chart(report), _letters(report), _checks(report), _foot(report))
    return DOCUMENT.format(title=f"Tandem: {escape(headline(report).lower())}", css=CSS, body="\n".join(parts))


def _top(report: dict[str, Any]) -> str:
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in report["problems"])
    return (
        '<header><p class="brand">Tandem demo</p>'
        f'<h1 class="{_css(passed=report["exact"])}">{escape(headline(report))}</h1>'
        f"<p>{escape(_story(report))}</p>"
        f'<ul class="problems">{problems}</ul></header>'
    )


def _story(report: dict[str, Any]) -> str:
    broker = " ".join(filter(None, (BROKERS.get(report["broker"]["kind"], "Kafka"), report["broker"]["version"])))
    return (
        f"{report['records_in']:,} records on {broker}: a burst through Lambda, a handover to a worker "
        "while records flow, the worker killed with SIGKILL and restarted. "
        f"All settled in {report['seconds']:.0f} seconds."
    )


def _figures(report: dict[str, Any]) -> str:
    runtimes = report["runtimes"]
    figures = (
        (f"{report['missing']:,}", "missing", _css(passed=not report["missing"])),
        (f"{report['duplicates']:,}", "doubled", _css(passed=not report["duplicates"])),
        (f"{runtimes['msk']['records_per_second']:,.0f}", "records/s on Lambda", "msk-text"),
        (f"{runtimes['worker']['records_per_second']:,.0f}", "records/s on the worker", "worker-text"),
    )
    cells = "".join(f'<div><b class="{css}">{figure}</b><span>{label}</span></div>' for figure, label, css in figures)
    return f'<section class="figures">{cells}</section><p class="note">Rates are of {escape(RATES_ARE_OF)}.</p>'


def _chart(report: dict[str, Any]) -> str:
    samples = [ProgressSample(*values) for values in report["timeline"]["samples"]]
    moments = [Moment(*values) for values in report["timeline"]["marks"]]
    rates = {name: runtime["records_per_second"] for name, runtime in report["runtimes"].items()}
    wide, narrow = (Chart(samples, moments, rates, width).svg() for width in (WIDE, NARROW))
    return f'<section><h2>Over time</h2><div class="wide">{wide}</div><div class="narrow">{narrow}</div></section>'


def _letters(report: dict[str, Any]) -> str:
    share = report["dead_letters"] / max(report["records_in"], 1)
    return (
        "<section><h2>Dead letters by reason</h2>"
        f"<p>{report['dead_letters']:,} records ({share:.1%}) can never succeed as they are. "
        "Each is stored whole, with its reason.</p>"
        f'<div class="bars">{"".join(_bars(report["dead_letters_by_reason"]))}</div></section>'
    )


def _bars(reasons: dict[str, int]) -> Iterator[str]:
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        width = 100 * count / max(reasons.values())
        yield f'<div class="reason">{escape(reason)}<small>{escape(REASONS.get(reason, ""))}</small></div>'
        yield f'<div class="bar"><i style="width:{width:.1f}%"></i><b>{count:,}</b></div>'


def _checks(report: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr class="{"" if check.passed is None else _css(passed=check.passed)}">'
        f"<th>{escape(check.name)}<small>{escape(check.method)}</small></th><td>{escape(check.result)}</td></tr>"
        for check in checks(report)
    )
    method = "Read back from the stores without the pipeline's code, and compared with what was produced."
    return f"<section><h2>Verification</h2><p>{method}</p><table>{rows}</table></section>"


def _foot(report: dict[str, Any]) -> str:
    source = f"seed {report['seed']}" if "seed" in report else f"input {report['input']}"
    line = " · ".join(filter(None, (report["began"], source, report["broker"]["reason"])))
    return f"<footer>{escape(line)}</footer>"


def _css(*, passed: bool) -> str:
    return "good" if passed else "bad"
