"""`report.json`: the description of a run, its result, and its progress over time."""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from sandbox.demo.verify import Verdict

RATES_ARE_OF: Final = "an emulator on this machine, which handles one request at a time: they say nothing about AWS"
JSON: Final = "report.json"
HTML: Final = "report.html"
MIN_BIN: Final = 0.2  # of a bin's length: shorter remainders join a neighbour, so that no rate is a spike

MomentKind = Literal["handover", "kill", "back"]
COUNTS: Final = {"missing": "missing", "duplicates": "doubled", "wrong": "wrong"}
MISMATCHES: Final = {
    "counters_match": "counters differ",
    "table_match": "the table differs",
    "topic_unique_match": "the topic differs",
    "announcements_match": "announcements differ",
}


class ProgressSample(NamedTuple):
    """Records acknowledged by the broker and settled according to the ledger, `seconds` after the beginning."""

    seconds: float
    produced: int
    settled: int


class Moment(NamedTuple):
    """An event of the story, `seconds` after the beginning."""

    seconds: float
    kind: MomentKind


class Bin(NamedTuple):
    """Records per second between two times, in seconds after the beginning."""

    begin: float
    end: float
    produced: float
    settled: float


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """What one runtime did: `records` settled in the `seconds` that it was active, kills and restarts included."""

    records: int
    seconds: float
    details: dict[str, int | float]

    def as_dict(self) -> dict[str, Any]:
        """Return it as the report has it."""
        rate = round(self.records / self.seconds, 1) if self.seconds else 0.0
        return {"records": self.records, "records_per_second": rate, "seconds": round(self.seconds, 2)} | self.details


@dataclass(frozen=True, slots=True)
class DemoRun:
    """`began` is ISO 8601 in UTC; `seconds` from the first record produced to the last one settled."""

    began: str
    broker: dict[str, str]
    source: dict[str, Any]  # {"seed": ...} or {"input": ...}
    runtimes: dict[str, RuntimeResult]
    samples: list[ProgressSample]
    moments: list[Moment]
    seconds: float


class Check(NamedTuple):
    """A line of the verification; `passed` is None for a plain number."""

    name: str
    method: str
    result: str
    passed: bool | None


def report(run: DemoRun, verdict: Verdict, verification_seconds: float) -> dict[str, Any]:
    """Return the whole report, ready for JSON."""
    fields = asdict(verdict)
    problems = fields.pop("problems")
    return {
        "exact": verdict.exact,
        "began": run.began,
        "broker": run.broker,
        **run.source,
        **fields,
        "runtimes": {name: result.as_dict() for name, result in run.runtimes.items()},
        "kills": _count(run.moments, "kill"),
        "handovers": _count(run.moments, "handover"),
        "seconds": round(run.seconds, 2),
        "rates_are_of": RATES_ARE_OF,
        "verification_seconds": round(verification_seconds, 2),
        "problems": list(problems),
        "timeline": {
            "samples": [[round(seconds, 3), produced, settled] for seconds, produced, settled in run.samples],
            "marks": [[round(seconds, 3), kind] for seconds, kind in run.moments],
        },
    }


def headline(report: dict[str, Any]) -> str:
    """Return the result in a few words."""
    if report["exact"]:
        return "Nothing lost, nothing doubled"
    counts = [f"{report[name]:,} {word}" for name, word in COUNTS.items() if report[name]]
    return "Not exact: " + ", ".join(counts + [words for name, words in MISMATCHES.items() if not report[name]])


def checks(report: dict[str, Any]) -> Iterator[Check]:
    """Yield the lines of the verification, for the console and for the page."""
    yield Check("Records produced", "acknowledged by the broker", f"{report['records_in']:,}", None)
    yield Check("Rows in the lake", "every Parquet object read", f"{report['rows_in_lake']:,}", None)
    yield Check("Dead letters", "every object read", f"{report['dead_letters']:,}", None)
    yield Check("Dropped", "records that become no row", f"{report['dropped']:,}", None)
    yield _none("Missing", "no row, no dead letter, not dropped", report["missing"])
    yield _none("Doubled", "more than one of them", report["duplicates"])
    yield _none("Wrong", "other content, or another reason", report["wrong"])
    is_logins = report.get("pipeline", "logins") == "logins"
    counted = "logins per minute and device type" if is_logins else "every group and bucket"
    yield _match("Counters", counted, passed=report["counters_match"])
    yield _match("Table", "the last login of each user" if is_logins else "every row", passed=report["table_match"])
    repeated = f"; {report['topic_repeated']:,} repeated" if report["topic_repeated"] else ""
    yield _match("Queue", "announces every dead letter", passed=report["announcements_match"])
    yield _match("Output topic", "each row once, by its header" + repeated, passed=report["topic_unique_match"])


def write(report: dict[str, Any], page: str, folder: Path) -> tuple[Path, Path]:
    """Write both files to a folder, which is created if needed; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    data, html = folder / JSON, folder / HTML
    data.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    html.write_text(page, encoding="utf-8")
    return data, html


def bins(samples: Sequence[ProgressSample], seconds: float, cuts: Sequence[float] = ()) -> list[Bin]:
    """Return rates over steps of about `seconds`, which cover every record of the samples.

    A step also ends at each of `cuts`, so that none belongs to two runtimes.
    """
    end = samples[-1].seconds
    fixed = {0.0, end, *(cut for cut in cuts if 0 < cut < end)}
    steps = (number * seconds for number in range(int(end / seconds) + 1))
    edges = fixed | {step for step in steps if all(abs(step - edge) >= MIN_BIN * seconds for edge in fixed)}
    return [_bin(samples, begin, after) for begin, after in pairwise(sorted(edges))]


def _bin(samples: Sequence[ProgressSample], begin: float, end: float) -> Bin:
    first, last = _totals(samples, begin) if begin else (0, 0), _totals(samples, end)
    produced, settled = ((after - before) / (end - begin) for before, after in zip(first, last, strict=True))
    return Bin(begin, end, produced, settled)


def _totals(samples: Sequence[ProgressSample], seconds: float) -> tuple[int, int]:
    index = bisect_right(samples, seconds, key=lambda sample: sample.seconds)
    return samples[index - 1][1:] if index else (0, 0)


def _none(name: str, method: str, count: int) -> Check:
    return Check(name, method, f"{count:,}", count == 0)


def _match(name: str, method: str, *, passed: bool) -> Check:
    return Check(name, method, "match" if passed else "differ", passed)


def _count(moments: Sequence[Moment], kind: MomentKind) -> int:
    return sum(moment.kind == kind for moment in moments)
