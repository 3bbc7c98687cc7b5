"""`tandem demo`, after its options are read."""

import json
import secrets
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.table import Table

from functions.core.errors import Misconfigured
from sandbox.aws import LocalAws
from sandbox.broker.broker import Broker
from sandbox.broker.choose import choose
from sandbox.broker.errors import BrokerUnavailable
from sandbox.demo.chart import NAMES
from sandbox.demo.logins import generate
from sandbox.demo.page import page
from sandbox.demo.records import Record, read_lines
from sandbox.demo.report import checks, headline, write
from sandbox.demo.story import run
from sandbox.demo.view import ConsoleView
from sandbox.local_stack import LocalStack, local_stack

SLICE_SECONDS: Final = "1"  # with a deployed worker's 5, the kill would come before it had settled anything
SESSION_SECONDS: Final = 3
EXTERNAL_SESSION_SECONDS: Final = 6  # the least that other brokers accept by default


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of the command line; `file` replaces `records` and `seed`."""

    records: int
    seed: int
    broker: str
    file: Path | None
    out: Path
    as_json: bool


def demo(options: DemoOptions) -> int:
    """Run the demo; return exit code 1 if anything was lost, doubled or wrong. TandemError has a user's words."""
    records, origin = _records(options)
    options.out.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=options.as_json, highlight=False)
    signal.signal(signal.SIGTERM, _interrupted)  # like ctrl-C: everything that was started is stopped
    with ConsoleView(console) as view:
        view.chapter("Set up", f"broker {options.broker}, AWS emulator, stores, topics")
        with _set_up(options, view) as stack:
            broker = stack.stage.broker
            view.note(f"{broker.kind} broker {broker.version}" + (f" ({broker.reason})" if broker.reason else ""))
            result = run(stack, records, origin, view, options.out)
    json_file, html_file = write(result, page(result), options.out)
    _summary(console, result, json_file, html_file)
    if options.as_json:
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return 0 if result["exact"] else 1


def _records(options: DemoOptions) -> tuple[Sequence[Record], dict[str, Any]]:
    if options.file is not None:
        return read_lines(options.file), {"input": str(options.file)}
    return list(generate(options.records, options.seed)), {"seed": options.seed}


@contextmanager
def _set_up(options: DemoOptions, view: ConsoleView) -> Iterator[LocalStack]:
    settings = {"TANDEM_SLICE_SECONDS": SLICE_SECONDS}
    if options.file is not None:
        settings["TANDEM_FLOOD_RATIO"] = "1.0"  # a file of bad lines only is no flood, but what the user asked for
    name = f"demo{secrets.token_hex(4)}"  # a separate group, also on a shared broker
    with _broker(options.broker, view) as broker, LocalAws() as aws:
        session = EXTERNAL_SESSION_SECONDS if broker.kind == "external" else SESSION_SECONDS
        with local_stack(name, broker, aws, session, settings) as stack:
            yield stack


def _broker(choice: str, view: ConsoleView) -> Broker:
    try:
        return choose(choice, view.note)
    except BrokerUnavailable as error:
        raise Misconfigured(str(error)) from None


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _summary(console: Console, report: dict[str, Any], json_file: Path, html_file: Path) -> None:
    style = "green" if report["exact"] else "red"
    table = Table(title=headline(report), title_style=f"bold {style}", title_justify="left", show_header=False)
    for check in checks(report):
        sign = "" if check.passed is None else "[green]✓[/]" if check.passed else "[red]✗[/]"
        table.add_row(check.name, check.result, sign, f"[dim]{check.method}[/]")
    for name, runtime in report["runtimes"].items():
        rate = f"{runtime['records_per_second']:,.0f}/s"
        table.add_row(
            f"Settled by {NAMES[name]}",
            f"{runtime['records']:,}",
            "",
            f"[dim]{rate}, active for {runtime['seconds']:.1f} s[/]",
        )
    table.add_row("Kills, handovers", f"{report['kills']}, {report['handovers']}", "", "")
    table.add_row("Seconds", f"{report['seconds']:.1f}", "", "[dim]from first record produced to last settled[/]")
    console.print(table)
    for problem in report["problems"]:
        console.print(f"  {problem}", markup=False)
    console.print(f"{json_file}\n{html_file}", markup=False, soft_wrap=True)
