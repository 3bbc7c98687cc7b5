"""A terminal's bar and lines, and ctrl-C while something is in flight."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from functions.cli.operator_terminal import Progress, deferred_interrupt, operator_terminal

SHOW = """
from functions.cli.operator_terminal import operator_terminal
with operator_terminal() as terminal:
    terminal.progress(50, 100)
    terminal.say("a line")
    terminal.progress(75, 100)
    terminal.progress(100, 100)
"""


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_one_interrupt_waits_and_a_second_one_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    with deferred_interrupt() as is_interrupted:
        assert not is_interrupted()
        interrupt()
        assert is_interrupted()
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    assert capsys.readouterr().err == "\nfinishing what is in flight; ctrl-C again to stop at once\n"
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_without_a_terminal_there_is_no_bar_but_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with operator_terminal() as terminal:
        terminal.progress(1000, 100_000)
        terminal.say("a line")
    assert capsys.readouterr() == ("a line\n", "")
    times = iter([0.0, 1.0, 6.0, 7.0])
    monkeypatch.setattr("functions.cli.operator_terminal.monotonic", lambda: next(times))
    progress = Progress()
    for done in (1, 2, 3000, 4000):
        progress.show(done, 10_000)
    assert capsys.readouterr().err == "3,000 of 10,000\n"


@pytest.mark.parametrize(("columns", "cells"), [("80", 30), ("40", 26), ("10", 0)])
def test_a_terminal_gets_a_bar_that_fits_and_is_gone_at_the_end(columns: str, cells: int) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SHOW], stderr=theirs, stdout=subprocess.PIPE,
        env=os.environ | {"COLUMNS": columns, "TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(theirs)
        assert process.stdout is not None
        said = process.stdout.read()
        shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert said == b"a line\n"
    bar = f"[{'#' * (cells // 2)}{' ' * (cells - cells // 2)}] 50 of 100"
    assert shown.startswith(f"\r\x1b[K{bar}\r\x1b[K")
    assert shown.endswith("] 75 of 100\r\x1b[K")
    assert len(bar) <= max(40, int(columns))
