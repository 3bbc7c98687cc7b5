import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from sandbox.demo.chart import Chart, short, ticks
from sandbox.demo.page import page
from sandbox.demo.report import DemoRun, Moment, ProgressSample, RuntimeResult, headline, report, write
from sandbox.demo.verify import Verdict

SAMPLES = [ProgressSample(number / 4, min(number * 50, 3_000), min(number * 40, 3_000)) for number in range(80)]
MOMENTS = [Moment(8.0, "handover"), Moment(12.0, "kill"), Moment(15.5, "back")]
VERDICT = Verdict(
    records_in=3_000, rows_in_lake=2_910, dead_letters=60, dead_letters_by_reason={"invalid": 40, "rejected": 20},
    dropped=30, missing=0, duplicates=0, wrong=0, counters_match=True, table_match=True, topic_unique_match=True,
    announcements_match=True, topic_repeated=7, problems=(),
)  # fmt: skip
LOST = replace(VERDICT, missing=3, wrong=1, counters_match=False, problems=("missing: (1, 17)", "<b>&"))


def run_report(verdict: Verdict = VERDICT, samples: list[ProgressSample] = SAMPLES, reason: str = "") -> dict[str, Any]:
    shifts = {"msk": RuntimeResult(1_500, 8.0, {"invocations": 3}), "worker": RuntimeResult(1_500, 12.0, {})}
    broker = {"kind": "apache", "version": "4.4.0", "reason": reason}
    return report(DemoRun("2026-11-23T10:00:00Z", broker, {"seed": 1}, shifts, samples, MOMENTS, 20.0), verdict, 2.0)


def test_the_report_has_what_readers_count_on() -> None:
    seen = run_report()
    assert seen["broker"]["kind"] == "apache"
    assert (seen["records_in"], seen["rows_in_lake"], seen["dead_letters"], seen["dropped"]) == (3_000, 2_910, 60, 30)
    assert (seen["missing"], seen["duplicates"], seen["kills"], seen["handovers"]) == (0, 0, 1, 1)
    assert seen["counters_match"]
    assert seen["table_match"]
    assert seen["topic_unique_match"]
    assert seen["runtimes"]["msk"] == {"records": 1_500, "records_per_second": 187.5, "seconds": 8.0, "invocations": 3}
    assert seen["seconds"] == 20.0
    assert headline(seen) == "Nothing lost, nothing doubled"


def test_the_headline_says_what_is_wrong() -> None:
    assert headline(run_report(LOST)) == "Not exact: 3 missing, 1 wrong, counters differ"


@pytest.mark.parametrize("verdict", [VERDICT, LOST])
def test_the_page_needs_nothing_else(verdict: Verdict) -> None:
    html = page(run_report(verdict, reason="no Java: <embedded>"))
    outside = re.findall(r"""(?:src|href|url)\s*[=(]|https?://[^"]*|@import""", html)
    assert set(outside) == {"http://www.w3.org/2000/svg"}
    assert "<embedded>" not in html
    assert "<b>&<" not in html
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ET.fromstring(svg)  # noqa: S314 - our own


def test_the_marks_are_in_the_picture() -> None:
    html = page(run_report())
    for words in ("handover 8.0 s", "SIGKILL 12.0 s", "settling again 15.5 s", "Lambda 188/s", "worker 125/s"):
        assert words in html


@pytest.mark.parametrize("width", [350, 900])
@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES[:1], [ProgressSample(0.0, 0, 0), ProgressSample(0.1, 1, 1)]])
def test_labels_stay_on_the_paper(width: int, samples: list[ProgressSample]) -> None:
    marks = [Moment(min(moment.seconds, samples[-1].seconds), moment.kind) for moment in MOMENTS]
    svg = ET.fromstring(Chart(samples, marks, {"msk": 1.0, "worker": 2.0}, width).svg())  # noqa: S314
    for text in svg.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 <= float(text.get("x", "")) <= width


def test_files(tmp_path: Path) -> None:
    data, html = write(run_report(), "<p>page</p>", tmp_path / "new" / "folder")
    assert (data.name, html.read_text()) == ("report.json", "<p>page</p>")


@pytest.mark.parametrize(
    ("most", "about", "expected"),
    [
        (0, 4, [0, 1]),
        (1, 4, [0, 0.25, 0.5, 0.75, 1]),
        (97, 4, [0, 25, 50, 75, 100]),
        (8_000, 4, [0, 2_000, 4_000, 6_000, 8_000]),
    ],
)
def test_ticks(most: float, about: int, expected: list[float]) -> None:
    assert ticks(most, about) == expected


def test_short_numbers() -> None:
    assert [short(value) for value in (0, 250, 1_000, 12_500)] == ["0", "250", "1k", "12.5k"]
