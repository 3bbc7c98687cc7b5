"""`report.html`: the report as one page that needs nothing else, in light and dark, on a desk and on a phone."""

from collections.abc import Iterator
from html import escape
from typing import Any, Final

from functions.local.demo.chart import Chart
from functions.local.demo.checks import checks
from functions.local.demo.report import headline
from functions.local.demo.style import CSS
from functions.local.demo.timeline import Mark, Sample

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


def page(told: dict[str, Any]) -> str:
    """The page of a report, from what is in `report.json` alone."""
    parts = (_top(told), _figures(told), _chart(told), _letters(told), _checks(told), _foot(told))
    return DOCUMENT.format(title=f"Tandem: {escape(headline(told).lower())}", css=CSS, body="\n".join(parts))


def _top(told: dict[str, Any]) -> str:
    problems = "".join(f"<li>{escape(problem)}</li>" for problem in told["problems"])
    return (
        '<header><p class="brand">Tandem demo</p>'
        f'<h1 class="{_kind(fine=told["exact"])}">{escape(headline(told))}</h1>'
        f"<p>{escape(_story(told))}</p>"
        f'<ul class="problems">{problems}</ul></header>'
    )


def _story(told: dict[str, Any]) -> str:
    broker = " ".join(filter(None, (BROKERS.get(told["broker"]["kind"], "Kafka"), told["broker"]["version"])))
    return (
        f"{told['records_in']:,} records on {broker}: a burst through Lambda, a handover to a worker in mid-stream, "
        f"the worker killed by SIGKILL and restarted. All settled in {told['seconds']:.0f} seconds."
    )


def _figures(told: dict[str, Any]) -> str:
    runtimes = told["runtimes"]
    figures = (
        (f"{told['missing']:,}", "missing", _kind(fine=not told["missing"])),
        (f"{told['duplicates']:,}", "doubled", _kind(fine=not told["duplicates"])),
        (f"{runtimes['msk']['records_per_second']:,.0f}", "records/s on Lambda", "msk-text"),
        (f"{runtimes['worker']['records_per_second']:,.0f}", "records/s on the worker", "worker-text"),
    )
    cells = "".join(f'<div><b class="{kind}">{figure}</b><span>{label}</span></div>' for figure, label, kind in figures)
    return f'<section class="figures">{cells}</section>'


def _chart(told: dict[str, Any]) -> str:
    samples = [Sample(*values) for values in told["timeline"]["samples"]]
    marks = [Mark(*values) for values in told["timeline"]["marks"]]
    rates = {name: runtime["records_per_second"] for name, runtime in told["runtimes"].items()}
    wide, narrow = (Chart(samples, marks, rates, width).svg() for width in (WIDE, NARROW))
    return f'<section><h2>Over time</h2><div class="wide">{wide}</div><div class="narrow">{narrow}</div></section>'


def _letters(told: dict[str, Any]) -> str:
    share = told["dead_letters"] / max(told["records_in"], 1)
    return (
        "<section><h2>Dead letters by reason</h2>"
        f"<p>{told['dead_letters']:,} records ({share:.1%}) can never succeed as they are. "
        "Each is stored whole, with its reason.</p>"
        f'<div class="bars">{"".join(_bars(told["dead_letters_by_reason"]))}</div></section>'
    )


def _bars(reasons: dict[str, int]) -> Iterator[str]:
    for reason, count in sorted(reasons.items(), key=lambda each: -each[1]):
        width = 100 * count / max(reasons.values())
        yield f'<div class="reason">{escape(reason)}<small>{escape(REASONS.get(reason, ""))}</small></div>'
        yield f'<div class="bar"><i style="width:{width:.1f}%"></i><b>{count:,}</b></div>'


def _checks(told: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr class="{"" if check.fine is None else _kind(fine=check.fine)}">'
        f"<th>{escape(check.what)}<small>{escape(check.how)}</small></th><td>{escape(check.found)}</td></tr>"
        for check in checks(told)
    )
    how = "Read back from the stores without the pipeline's code, and compared with what was produced."
    return f"<section><h2>Verification</h2><p>{how}</p><table>{rows}</table></section>"


def _foot(told: dict[str, Any]) -> str:
    source = f"seed {told['seed']}" if "seed" in told else f"input {told['input']}"
    said = " · ".join(filter(None, (told["began"], source, told["broker"]["reason"])))
    return f"<footer>{escape(said)}</footer>"


def _kind(*, fine: bool) -> str:
    return "good" if fine else "bad"
