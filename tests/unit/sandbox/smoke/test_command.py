"""What people see of a run, and how the handover is asked for."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.core.errors import Misconfigured, Unavailable
from sandbox.smoke import command
from sandbox.smoke.command import SmokeOptions, follow, smoke, text

OPTIONS = SmokeOptions("dev", 1000, 1)
RESULT: dict[str, Any] = {
    "event": "result", "rows_in_lake": 970, "dead_letters": 20, "dropped": 10, "missing": 0, "duplicates": 0,
    "wrong": 0,
    "counters_match": True, "table_match": True, "topic_unique_match": True, "announcements_match": True,
    "problems": [], "exact": True, "clean": True,
}  # fmt: skip
PROGRAM = """
import json, sys
print(json.dumps({"event": "begun", "run": "4f2a", "records": 1000, "stage": "dev"}))
print("Unable to use a TTY")
print(json.dumps({"event": "handover"}), flush=True)
sys.exit(7 if sys.stdin.readline() == "done\\n" else 1)
"""


def test_events_are_shown_and_the_handover_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    handed: list[str] = []
    code = follow([sys.executable, "-c", PROGRAM], os.environ, lambda: handed.append("over"), OPTIONS)
    assert (code, handed) == (7, ["over"])
    assert capsys.readouterr().out.splitlines() == [
        "run 4f2a: 1,000 logins to stage dev", "Unable to use a TTY", "handover",
    ]  # fmt: skip


def test_a_handover_that_fails_ends_the_run() -> None:
    def failing() -> None:
        raise Unavailable("no")

    with pytest.raises(Unavailable):
        follow([sys.executable, "-c", PROGRAM], os.environ, failing, OPTIONS)


def test_the_result_for_people() -> None:
    assert text(RESULT).splitlines()[-1] == "exact"
    wrong = text(RESULT | {"exact": False, "clean": False, "counters_match": False, "problems": ["missing: (0, 1)"]})
    assert "  counters          NO" in wrong
    assert wrong.endswith("  missing: (0, 1)\nNOT exact: everything is kept")
    assert text({"event": "settled", "settled": 1, "produced": 2000}) == "  settled 1 of 2,000 produced"
    assert text({"event": "handed over", "during": 40}) == "  handed over, while 40 more were produced"
    assert text({"event": "error", "message": "why"}) == "error  why"


@pytest.mark.parametrize("more", [{"pod": "a/b"}, {"handover": "true"}])
def test_the_sandbox_hands_over_itself(more: Any) -> None:
    with pytest.raises(Misconfigured, match="--pod and --handover: expected a deployed stage"):
        smoke(SmokeOptions("sandbox", 1000, 1, **more))


def test_a_deployed_stage_is_reached_from_here_or_from_a_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    followed: list[Any] = []

    def noted(line: list[str], _: object, hand_over: Any, options: SmokeOptions) -> int:
        followed.append((line[-7:] if options.handover else line[-6:], hand_over))
        return 0

    monkeypatch.setattr(command, "follow", noted)
    marker = tmp_path / "handed over"
    assert smoke(OPTIONS) == 0
    assert smoke(SmokeOptions("dev", 200, 2, handover=f"touch '{marker}'")) == 0
    (first, none), (second, hand_over) = followed
    assert (first, none) == (["--stage", "dev", "--records", "1000", "--seed", "1"], None)
    assert second == ["--stage", "dev", "--records", "200", "--seed", "2", "--handover"]
    hand_over()
    assert marker.exists()
    smoke(SmokeOptions("dev", 200, 2, handover="exit 3"))
    with pytest.raises(Unavailable, match="'exit 3' ended with 3"):
        followed[-1][1]()
