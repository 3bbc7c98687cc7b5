"""The display of `tandem up`: a table of pipelines on a terminal, a line when something changed elsewhere."""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from functions.core.handover_ports import SwitchStatus
from functions.operate.status.partition_status import PipelineStatus

TABLE_COLUMNS: Final = 72  # of a terminal that has room for the table
PLAIN_SECONDS: Final = 5.0  # between two lines of numbers


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """What the table shows of a pipeline. Numbers are None while they are unknown."""

    pipeline: str
    runtime: str
    settled: int | None
    lag: int | None
    letters: int
    stops: str


def row(status: PipelineStatus) -> PipelineRow:
    """Return the row of a pipeline's status."""
    disabled = SwitchStatus.DISABLED
    enabled = [each.runtime for each in status.runtimes if each.state and each.state.status is not disabled]
    lags = [each.lag for each in status.partitions]
    return PipelineRow(
        status.pipeline, "+".join(enabled) or "none",
        sum(each.position.next for each in status.partitions if each.position),
        None if None in lags else sum(lag or 0 for lag in lags), sum(status.letters.counts.values()),
        ", ".join(f"{each.partition} ({each.stop.reason.value})" for each in status.partitions if each.stop),
    )  # fmt: skip


@dataclass
class UpView(AbstractContextManager["UpView"]):
    """Shows the pipelines, and the last notes below them. Not thread-safe."""

    console: Console
    header: str = ""
    rows: Sequence[PipelineRow] = ()
    notes: list[str] = field(default_factory=list)
    _rates: Mapping[str, float] = field(default_factory=dict)
    _at: float = 0.0
    _printed: float = 0.0

    def __post_init__(self) -> None:
        self._live = Live(console=self.console, get_renderable=self.render, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def note(self, text: str) -> None:
        """Show a line about an event."""
        self.notes.append(f"{time.strftime('%H:%M:%S')} {text}")
        if not self.console.is_terminal:
            self.console.print(Text(self.notes[-1]), soft_wrap=True)

    def update(self, rows: Sequence[PipelineRow]) -> None:
        """Show new numbers."""
        now, before = time.monotonic(), {each.pipeline: each.settled for each in self.rows}
        if self._at:
            seconds = now - self._at
            self._rates = {
                each.pipeline: max(0, (each.settled or 0) - (before.get(each.pipeline) or 0)) / seconds for each in rows
            }
        changed, self.rows, self._at = rows != self.rows, rows, now
        if changed and not self.console.is_terminal and now - self._printed >= PLAIN_SECONDS:
            self._printed = now
            for each in rows:
                self.note(_sentence(each))

    def render(self) -> RenderableType:
        """Return what a terminal shows."""
        notes = [Text(line, style="dim") for line in self.notes[-6:]]
        shown = self._table() if self.console.width >= TABLE_COLUMNS else Text("\n".join(map(_sentence, self.rows)))
        return Group(Text(self.header, style="bold"), Text(), shown, Text(), *notes)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for heading in ("pipeline", "runtime", "settled", "per s", "lag", "letters", "stops"):
            table.add_column(heading, justify="left" if heading in {"pipeline", "runtime", "stops"} else "right")
        for each in self.rows:
            rate = self._rates.get(each.pipeline, 0.0)
            table.add_row(
                each.pipeline, each.runtime, _number(each.settled), f"{rate:,.0f}", _number(each.lag),
                f"{each.letters:,}", Text(each.stops or "-", style="red" if each.stops else ""),
            )  # fmt: skip
        return table


def _sentence(row: PipelineRow) -> str:
    stopped = f", stopped: {row.stops}" if row.stops else ""
    return (
        f"{row.pipeline}: {row.runtime}, {_number(row.settled)} settled, lag {_number(row.lag)}, "
        f"{row.letters:,} letters{stopped}"
    )


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
