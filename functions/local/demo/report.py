"""`report.json`: what a run was, what it came to, and how it went over time."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from functions.local.demo.timeline import Mark, Sample
from functions.local.demo.verdict import Verdict

JSON: Final = "report.json"
HTML: Final = "report.html"


@dataclass(frozen=True, slots=True)
class Shift:
    """What one runtime did: `records` settled during `seconds` on duty, kills and restarts included."""

    records: int
    seconds: float
    details: dict[str, int | float]

    def told(self) -> dict[str, Any]:
        """As the report has it."""
        rate = round(self.records / self.seconds, 1) if self.seconds else 0.0
        return {"records": self.records, "records_per_second": rate, "seconds": round(self.seconds, 2)} | self.details


@dataclass(frozen=True, slots=True)
class Run:
    """What happened. `began` is ISO 8601 in UTC; `seconds` from the first record produced to the last one settled."""

    began: str
    broker: dict[str, str]
    source: dict[str, Any]  # {"seed": ...} or {"input": ...}
    runtimes: dict[str, Shift]
    samples: list[Sample]
    marks: list[Mark]
    seconds: float


def report(run: Run, verdict: Verdict, verification_seconds: float) -> dict[str, Any]:
    """Everything, ready for JSON."""
    told = asdict(verdict)
    problems = told.pop("problems")
    return {
        "exact": verdict.exact,
        "began": run.began,
        "broker": run.broker,
        **run.source,
        **told,
        "runtimes": {name: shift.told() for name, shift in run.runtimes.items()},
        "kills": _count(run.marks, "kill"),
        "handovers": _count(run.marks, "handover"),
        "seconds": round(run.seconds, 2),
        "verification_seconds": round(verification_seconds, 2),
        "problems": list(problems),
        "timeline": {
            "samples": [[round(at, 3), produced, settled] for at, produced, settled in run.samples],
            "marks": [[round(at, 3), what] for at, what in run.marks],
        },
    }


def headline(told: dict[str, Any]) -> str:
    """The result in a few words."""
    if told["exact"]:
        return "Nothing lost, nothing doubled"
    counts = [f"{told[name]:,} {word}" for name, word in _COUNTS.items() if told[name]]
    return "Not exact: " + ", ".join(counts + [word for name, word in _MATCHES.items() if not told[name]])


def write(told: dict[str, Any], page: str, folder: Path) -> tuple[Path, Path]:
    """Both files, in a folder that is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    data, html = folder / JSON, folder / HTML
    data.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    html.write_text(page, encoding="utf-8")
    return data, html


_COUNTS: Final = {"missing": "missing", "duplicates": "doubled", "wrong": "wrong"}
_MATCHES: Final = {
    "counters_match": "counters differ",
    "table_match": "the table differs",
    "topic_unique_match": "the topic differs",
    "announcements_match": "announcements differ",
}


def _count(marks: list[Mark], what: str) -> int:
    return sum(mark.what == what for mark in marks)
