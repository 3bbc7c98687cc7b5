"""The display of a run: a list of chapters and progress bars on a terminal, plain lines elsewhere."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

CHAPTERS: Final = ("Set up", "Burst", "Handover", "Steady load", "Kill", "Settle the rest", "Verify")
PLAIN_SECONDS: Final = 5.0  # between two lines of numbers
BAR: Final = 44


@dataclass(slots=True)
class Chapter:
    """One line of the list, with notes about its events."""

    title: str
    notes: list[str] = field(default_factory=list)
    began: float | None = None
    ended: float | None = None

    def seconds(self) -> str:
        """Return how long it took, or has taken so far."""
        return f"{(self.ended or time.monotonic()) - self.began:.1f} s" if self.began is not None else ""


class ConsoleView(AbstractContextManager["ConsoleView"]):
    """Shows one chapter at a time. Not thread-safe."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = self._printed = time.monotonic()
        self._chapters = [Chapter(title) for title in CHAPTERS]
        self._current = -1
        self._numbers = (0, 0, 1)
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4, transient=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, exception_type: type[BaseException] | None, *_: object) -> None:
        if exception_type is None and self._current >= 0:
            self._chapters[self._current].ended = time.monotonic()
        if self._console.is_terminal:
            self._live.stop()

    def chapter(self, title: str, note: str = "") -> None:
        """End the previous chapter, and begin this one."""
        now = time.monotonic()
        if self._current >= 0:
            self._chapters[self._current].ended = now
        self._current = CHAPTERS.index(title)
        self._chapters[self._current].began = now
        self._plain(title)
        if note:
            self.note(note)

    def note(self, line: str) -> None:
        """Add a note to the chapter."""
        self._chapters[self._current].notes.append(line)
        self._plain(f"  {line}")

    def numbers(self, produced: int, settled: int, count: int) -> None:
        """Show the records produced and settled so far, of `count`."""
        self._numbers = produced, settled, count
        if time.monotonic() - self._printed >= PLAIN_SECONDS:
            self._plain(f"  {produced:,} produced, {settled:,} settled, lag {produced - settled:,}")

    def _plain(self, line: str) -> None:
        self._printed = time.monotonic()
        if not self._console.is_terminal:
            self._console.print(Text(f"[{self._printed - self._began:5.1f} s] {line}"), soft_wrap=True)

    def _render(self) -> RenderableType:
        return Group(self._list(), Text(), self._bars())

    def _list(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        for number, chapter in enumerate(self._chapters):
            sign, style = (
                ("●", "bold") if number == self._current else ("✓", "green") if chapter.ended else ("○", "dim")
            )
            sign, style = ("✓", "green") if chapter.ended else (sign, style)
            notes = "\n".join(chapter.notes if number == self._current else chapter.notes[-1:])
            table.add_row(
                Text(f"{sign} {chapter.title}", style), Text(chapter.seconds(), "dim", justify="right"), escape(notes)
            )
        return table

    def _bars(self) -> Table:
        produced, settled, count = self._numbers
        table = Table.grid(padding=(0, 2, 0, 0))
        for title, value, style in (("produced", produced, "white"), ("settled", settled, "cyan")):
            bar = ProgressBar(total=count, completed=value, width=BAR, complete_style=style, finished_style="green")
            table.add_row(title, bar, Text(f"{value:,}", justify="right"))
        table.add_row("lag", "", Text(f"{produced - settled:,}", justify="right"))
        return table
