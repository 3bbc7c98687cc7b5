"""What commands show in a terminal, as pictures for the docs: made by `make docs` from the commands' own text."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from html import escape
from io import StringIO

from rich.console import Console

from functions.adapters.memory_kafka import MemoryRecord
from functions.core.dead_letter import Reason
from functions.core.effects import EPOCH
from functions.core.handover_ports import Runtime
from functions.core.operator_ports import GroupMember
from functions.core.ports import DurableStop, StopReason
from functions.core.stops import milliseconds
from functions.operate.status.partition_status import inspect_pipeline
from functions.operate.status.text import status_text
from sandbox.up.view import PipelineRow, UpView
from tests.unit.operate.world import NOW, TOPIC, World, letter, source

COLUMNS = 100
CHARACTER, LINE, PAD = 8.2, 20, 16  # pixels
STYLE = "rect{fill:#14181e}text{font:13.5px ui-monospace,SFMono-Regular,Menlo,monospace;fill:#e8eaee;white-space:pre}"


def drawn(title: str, description: str, shown: str) -> str:
    """Return lines of text as the SVG of a terminal."""
    lines = shown.splitlines()
    width = max(map(len, lines)) * CHARACTER + 2 * PAD
    height = len(lines) * LINE + 2 * PAD
    rows = "".join(
        f'<text x="{PAD}" y="{PAD + 14 + number * LINE}" xml:space="preserve">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">'
    about = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return f'{head}{about}<style>{STYLE}</style><rect width="{width:.0f}" height="{height}" rx="8"/>{rows}</svg>\n'


def up_picture() -> str:
    """`tandem up` with two pipelines, one of which is stopped on a partition."""
    console = Console(file=StringIO(), width=COLUMNS, force_terminal=True, color_system=None)
    view = UpView(console, "tandem sandbox: apache broker at 127.0.0.1:18231; ctrl-C ends it")
    view.notes += ["12:00:04 ready: try tandem status", "12:03:10 saved: restarted the enabled runtimes"]
    view.rows = (
        PipelineRow("logins", "worker", 128_400, 35, 412, ""),
        PipelineRow("orders", "msk", 9_210, 2_300, 812, "3 (flood)"),
    )
    console.print(view.render())
    output = console.file
    assert isinstance(output, StringIO)
    shown = "\n".join(line.rstrip() for line in output.getvalue().splitlines())
    return drawn("tandem up", "A table of pipelines: runtime, settled, lag, letters, stops; notes below", shown)


def status_picture() -> str:
    """`tandem status --watch` of a pipeline with a stop."""
    with _world() as world:
        shown = status_text(inspect_pipeline(world.context))
    return drawn(
        "tandem status --watch", "Partitions, runtimes, group members, open dead letters and a summary", _wrapped(shown)
    )


@contextmanager
def _world() -> Iterator[World]:
    with ThreadPoolExecutor(2) as pool:
        world = World(pool)
        recent = int((NOW - timedelta(seconds=3) - EPOCH).total_seconds() * 1000)
        for number, (end, next_) in enumerate(((5121, 5121), (5090, 4870), (4402, 4402), (7300, 5000))):
            world.kafka.logs[TOPIC][number].records = [MemoryRecord(0, b"", b"", [])] * end
            world.settle(number, next_, recent)
            world.kafka.commits[TOPIC, number] = next_
        detail = "user-login-3 [5000, 5999]: 812 of the last 1000 records were rejected, the limit is 50%"
        world.open(3)
        world.ledger.stop(source(3), DurableStop(StopReason.FLOOD, detail, 5000, 5999, milliseconds(NOW)))
        world.kafka.group_members = [
            GroupMember("tandem-logins", "10.0.12.7", (0, 1)), GroupMember("tandem-logins", "10.0.31.4", (2, 3))
        ]  # fmt: skip
        world.switches[Runtime.MSK].enabled, world.switches[Runtime.WORKER].enabled = False, True
        world.letters.store([letter(offset, reason=Reason.INVALID) for offset in range(36)])
        yield world


def _wrapped(text: str) -> str:
    """Break long lines as a terminal does."""
    return "\n".join(
        line[begin : begin + COLUMNS] for line in text.splitlines() for begin in range(0, max(len(line), 1), COLUMNS)
    )
