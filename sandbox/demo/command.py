"""`tandem demo`, after its options are read."""

import json
import secrets
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.table import Table

from functions import registry
from functions.core.errors import Misconfigured
from functions.core.pipeline import AnyPipeline
from functions.operate.input_lines import InputRecord, read_records
from sandbox.aws import LocalAws
from sandbox.broker.broker import Broker
from sandbox.broker.choose import choose
from sandbox.broker.errors import BrokerUnavailable
from sandbox.demo.chart import NAMES
from sandbox.demo.expectation import settle_again
from sandbox.demo.logins import generate
from sandbox.demo.page import page
from sandbox.demo.records import Fate, Record, read_lines
from sandbox.demo.report import checks, headline, write
from sandbox.demo.story import CompletedRun, run, verify_logins
from sandbox.demo.verify import Verdict
from sandbox.demo.verify_any import AnyVerification
from sandbox.demo.view import ConsoleView
from sandbox.local_stack import PIPELINE, LocalStack, local_stack
from sandbox.output_folder import output_folder
from sandbox.produce.generate import GeneratorOptions
from sandbox.produce.generate import generate as generated

INVALID: Final = 0.02  # of generated records
SLICE_SECONDS: Final = "1"  # with a deployed worker's 5, the kill would come before it had settled anything
SESSION_SECONDS: Final = 3
EXTERNAL_SESSION_SECONDS: Final = 6  # the least that other brokers accept by default


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of the command line; `file` replaces `records` and `seed`.

    Logins, but for envelopes, have a generator and a verification that share no code with the pipeline.
    """

    records: int
    seed: int
    broker: str
    file: Path | None
    pipeline: str
    envelope: bool
    out: Path
    as_json: bool

    @property
    def is_reference(self) -> bool:
        """Whether these are the demo's own logins, or lines of a file that are."""
        return self.pipeline == PIPELINE and not self.envelope


def demo(options: DemoOptions) -> int:
    """Run the demo; return exit code 1 if anything was lost, doubled or wrong. TandemError has a user's words."""
    pipeline = registry.load(options.pipeline)
    records, origin = _records(options, pipeline)
    output_folder(options.out)
    console = Console(stderr=options.as_json, highlight=False)
    signal.signal(signal.SIGTERM, _interrupted)  # like ctrl-C: everything that was started is stopped
    with ConsoleView(console) as view:
        view.chapter("Set up", f"broker {options.broker}, AWS emulator, stores, topics")
        with _set_up(options, view) as stack:
            broker = stack.stage.broker
            view.note(f"{broker.kind} broker {broker.version}" + (f" ({broker.reason})" if broker.reason else ""))
            verify = verify_logins if options.is_reference else _verify_again
            result = run(stack, records, origin, view, options.out, verify)
    json_file, html_file = write(result, page(result), options.out)
    _summary(console, result, json_file, html_file)
    if options.as_json:
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return 0 if result["exact"] else 1


def _records(options: DemoOptions, pipeline: AnyPipeline) -> tuple[Sequence[Record], dict[str, Any]]:
    origin = {"pipeline": pipeline.name}
    if options.is_reference:
        if options.file is not None:
            return read_lines(options.file), origin | {"input": str(options.file)}
        return list(generate(options.records, options.seed)), origin | {"seed": options.seed}
    if options.file is not None:
        given: Iterable[InputRecord] = read_records(options.file, envelope=options.envelope)
        origin |= {"input": str(options.file)}
    else:
        given = generated(pipeline, GeneratorOptions(options.records, options.seed, invalid=INVALID))
        origin |= {"seed": str(options.seed)}
    now = round(time.time() * 1000)
    records = [
        Record(each.key, each.value, tuple(each.headers), Fate.ONE, now if each.timestamp is None else each.timestamp)
        for each in given
    ]
    if not records:
        raise Misconfigured(f"--input {options.file}: expected one record per line, got an empty file")
    return records, origin


def _verify_again(ran: CompletedRun) -> Verdict:
    """Compare what the stores hold with what the same records become when they are settled once more."""
    with TemporaryDirectory(prefix="tandem-expected-") as folder:
        expected = settle_again(ran.stage, ran.produced, Path(folder))
        messages = {name: listener.raw() for name, listener in ran.listeners.items()}
        return AnyVerification(ran.produced, ran.stage, expected, messages, ran.announcements.letters()).verdict()


@contextmanager
def _set_up(options: DemoOptions, view: ConsoleView) -> Iterator[LocalStack]:
    settings = {"TANDEM_SLICE_SECONDS": SLICE_SECONDS}
    if options.file is not None or not options.is_reference:
        settings["TANDEM_FLOOD_RATIO"] = "1.0"  # a file of bad lines only is no flood, but what the user asked for
    name = f"demo{secrets.token_hex(4)}"  # a separate group, also on a shared broker
    with _broker(options.broker, view) as broker, LocalAws() as aws:
        session = EXTERNAL_SESSION_SECONDS if broker.kind == "external" else SESSION_SECONDS
        with local_stack(name, broker, aws, session, settings, options.pipeline) as stack:
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
    table.add_row("Rates", "", "", "[dim]of an emulator on this machine, not of AWS[/]")
    table.add_row("Kills, handovers", f"{report['kills']}, {report['handovers']}", "", "")
    table.add_row("Seconds", f"{report['seconds']:.1f}", "", "[dim]from first record produced to last settled[/]")
    console.print(table)
    for problem in report["problems"]:
        console.print(f"  {problem}", markup=False)
    console.print(f"{json_file}\n{html_file}", markup=False, soft_wrap=True)
