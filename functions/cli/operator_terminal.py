"""The terminal of a person who runs a verb: lines, a progress bar, and ctrl-C that ends a verb in good order."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from shutil import get_terminal_size
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from functions.operate.terminal import Terminal

LINE_SECONDS: Final = 5.0  # between two lines of progress, where there is no bar
BAR_CELLS: Final = 30
CLEAR: Final = "\r\x1b[K"


@dataclass(slots=True)
class Progress:
    """Progress on standard error: a bar on a terminal, otherwise a line every few seconds.

    `to_error`: lines go to standard error, too, because standard output is for data.
    """

    to_error: bool = False
    is_shown: bool = False
    last_line: float | None = None

    def say(self, text: str) -> None:
        """Print text, which does not run into the bar."""
        self.clear()
        typer.echo(text, err=self.to_error)

    def show(self, done: int, total: int) -> None:
        """Show how many of `total` are done; nothing once all are."""
        if done == total:
            self.clear()
        elif has_bar():
            cells = max(0, min(BAR_CELLS, get_terminal_size().columns - 2 * len(f"{total:,}") - 8))
            filled = cells * done // total
            sys.stderr.write(f"{CLEAR}[{'#' * filled}{' ' * (cells - filled)}] {done:,} of {total:,}")
            sys.stderr.flush()
            self.is_shown = True
        else:
            now = monotonic()
            self.last_line = now if self.last_line is None else self.last_line
            if now - self.last_line > LINE_SECONDS:
                self.last_line = now
                sys.stderr.write(f"{done:,} of {total:,}\n")

    def clear(self) -> None:
        """Remove the bar."""
        if self.is_shown:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
            self.is_shown = False


def has_bar() -> bool:
    """Whether standard error is a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Defer the first ctrl-C until what is entered has ended. A second one interrupts at once."""
    pending: list[int] = []

    def defer(number: int, frame: FrameType | None) -> None:
        if pending:
            signal.default_int_handler(number, frame)
        pending.append(number)
        sys.stderr.write("\nfinishing what is in flight; ctrl-C again to stop at once\n")

    before = signal.signal(signal.SIGINT, defer)
    try:
        yield lambda: bool(pending)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def operator_terminal(*, to_error: bool = False) -> Iterator["Terminal"]:
    """Yield the terminal of this process, and remove its bar at the end. See Progress."""
    from functions.operate.terminal import Terminal  # noqa: PLC0415

    progress = Progress(to_error)
    try:
        yield Terminal(progress.say, progress.show, deferred_interrupt)
    finally:
        progress.clear()
