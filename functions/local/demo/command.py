"""What `tandem demo` does, once its options are read."""

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

from functions.local.demo import lines
from functions.local.demo.checks import checks
from functions.local.demo.generate import generate
from functions.local.demo.ground import set_up
from functions.local.demo.page import page
from functions.local.demo.record import Record
from functions.local.demo.report import headline, write
from functions.local.demo.run import run
from functions.local.demo.view import View


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line; `file` takes the place of `records` and `seed`."""

    records: int
    seed: int
    broker: str
    file: Path | None
    out: Path
    as_json: bool


def demo(options: Options) -> int:
    """The exit code: 1 if anything was lost, doubled or miscounted. Raises TandemError, in words for the user."""
    stream, source = _records(options)
    options.out.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=options.as_json, highlight=False)
    signal.signal(signal.SIGTERM, _interrupted)  # as ctrl-C: everything that was started is stopped
    with View(console) as view:
        view.chapter("Set up", f"broker {options.broker}, AWS emulator, stores, topics")
        # A file of nothing but bad lines is no flood: it is what the user asked for.
        flood_ratio = None if options.file is None else 1.0
        with set_up(options.broker, flood_ratio=flood_ratio, say=view.note) as ground:
            broker = ground.stage.broker
            view.note(f"{broker.kind} broker {broker.version}" + (f" ({broker.reason})" if broker.reason else ""))
            told = run(ground, stream, source, view, options.out)
    data, html = write(told, page(told), options.out)
    _summary(console, told, data, html)
    if options.as_json:
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 0 if told["exact"] else 1


def _records(options: Options) -> tuple[Sequence[Record], dict[str, Any]]:
    if options.file is not None:
        return lines.read(options.file), {"input": str(options.file)}
    return list(generate(options.records, options.seed)), {"seed": options.seed}


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _summary(console: Console, told: dict[str, Any], data: Path, html: Path) -> None:
    style = "green" if told["exact"] else "red"
    table = Table(title=headline(told), title_style=f"bold {style}", title_justify="left", show_header=False)
    for check in checks(told):
        mark = "" if check.fine is None else "[green]✓[/]" if check.fine else "[red]✗[/]"
        table.add_row(check.what, check.found, mark, f"[dim]{check.how}[/]")
    for name, runtime in told["runtimes"].items():
        rate = f"{runtime['records_per_second']:,.0f}/s"
        table.add_row(
            f"On {name}", f"{runtime['records']:,}", "", f"[dim]{rate}, {runtime['seconds']:.1f} s on duty[/]"
        )
    table.add_row("Kills, handovers", f"{told['kills']}, {told['handovers']}", "", "")
    table.add_row("Seconds", f"{told['seconds']:.1f}", "", "[dim]from the first record produced to the last settled[/]")
    console.print(table)
    for problem in told["problems"]:
        console.print(f"  {problem}", markup=False)
    console.print(f"{data}\n{html}", markup=False, soft_wrap=True)
