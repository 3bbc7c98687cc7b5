"""`tandem bench`: Tandem beside its peers, interleaved in one run, because ratios hardly depend on the machine."""

import json
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from functions.core.errors import Misconfigured
from sandbox.bench import http
from sandbox.bench.page import page
from sandbox.bench.plan import Plan, Task
from sandbox.bench.result import Failed, Result, Skipped
from sandbox.bench.summary import Rounds, met
from sandbox.broker.choose import choose
from sandbox.demo.report import write
from sandbox.output_folder import output_folder

OUTPUT_PARTITIONS: Final = 4


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """The options of the command line. `only` selects measurements by their names or groups."""

    records: int
    rounds: int
    broker: str
    only: tuple[str, ...]
    quick: bool
    out: Path
    as_json: bool


def bench(options: BenchOptions) -> None:
    """Measure, write both files, and print a table or the report."""
    console = Console(stderr=True, highlight=False)
    say = partial(console.print, markup=False, soft_wrap=True)
    output_folder(options.out)
    environment = dict(os.environ)
    try:
        with ExitStack() as stack:
            broker = stack.enter_context(choose(options.broker, console.print))
            if broker.kind == "embedded":
                raise Misconfigured(f"the benchmark needs Apache Kafka: {broker.reason}")
            broker.create_topic(http.TOPIC, http.PARTITIONS)
            broker.create_topic(http.OUTPUT, OUTPUT_PARTITIONS)
            site = stack.enter_context(http.site(broker.bootstrap))
            report = _measure(options, Plan(broker, site, options.out, options.records, options.quick, say))
    finally:
        os.environ.clear()
        os.environ.update(environment)
    data, html = write(report, page(report), options.out)
    if options.as_json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
    else:
        _print(report)
    console.print(f"{data}\n{html}", markup=False, soft_wrap=True)


def _measure(options: BenchOptions, plan: Plan) -> dict[str, Any]:
    tasks = list(selected(plan.tasks(), options.only))
    rounds, began = Rounds(tasks), time.monotonic()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    load_before = os.getloadavg()[0]
    for number in range(1, options.rounds + 1):
        rounds.results.append(dict(_round(rounds, plan, f"round {number} of {options.rounds}", began)))
    profiles = plan.profiles() if not options.only or "profile" in options.only else {}
    return {
        "began": started,
        "command": _command(options),
        "machine": _machine(load_before),
        "broker": {"kind": plan.broker.kind, "version": plan.broker.version},
        "records": options.records,
        "rounds": options.rounds,
        "seconds": round(time.monotonic() - began, 1),
        "ratios": rounds.ratios(),
        "measurements": rounds.measurements(),
        "profile_microseconds": profiles,
    }


def selected(tasks: Iterable[Task], only: Sequence[str]) -> Iterator[Task]:
    """Yield the tasks with these names, or in these groups; all if there are none. Misconfigured for another name."""
    every = list(tasks)
    known = {name for task in every for name in (task.name, task.group)} | {"profile"}
    if unknown := sorted(set(only) - known):
        raise Misconfigured(f"--only {unknown[0]}: expected some of {', '.join(sorted(known))}")
    return (task for task in every if not only or {task.name, task.group} & set(only))


def _round(rounds: Rounds, plan: Plan, title: str, began: float) -> Iterator[tuple[str, Result]]:
    """Yield the results of a round. What cannot be measured is noted once, with its reason, and not tried again."""
    for task in rounds.tasks:
        if task.name in rounds.missing:
            continue
        try:
            result = task.measure()
        except (Skipped, Failed) as error:
            rounds.missing[task.name] = str(error)
            plan.say(f"{time.monotonic() - began:4.0f} s  {title}  {task.name}: {error}")
            continue
        figures = f"{result.microseconds:,.1f} µs CPU, {result.rate:,.0f}/s"
        plan.say(f"{time.monotonic() - began:4.0f} s  {title}  {task.name}: {figures}")
        yield task.name, result


def _command(options: BenchOptions) -> str:
    chosen = f"--records {options.records} --rounds {options.rounds}" + (" --quick" if options.quick else "")
    return f"tandem bench {chosen}" + "".join(f" --only {name}" for name in options.only)


def _machine(load: float) -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(load, 2),  # processes that ran or waited, before the benchmark
        "load_after": round(os.getloadavg()[0], 2),
    }


def _print(report: dict[str, Any]) -> None:
    table = Table("ratio", "median", "least", "greatest", "to reach", title="Ratios within a round")
    for ratio in report["ratios"].values():
        if "skipped" in ratio:
            table.add_row(ratio["text"], f"[dim]not measured: {ratio['skipped'][:120]}[/]")
            continue
        colour = "green" if met(ratio) else "red"
        target = f"{'≥' if ratio['at_least'] else '≤'} {ratio['target']:g}"
        table.add_row(
            ratio["text"], f"[{colour}]{ratio['median']:g}[/]", f"{ratio['min']:g}", f"{ratio['max']:g}", target
        )
    Console().print(table)
