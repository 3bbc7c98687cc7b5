"""`tandem bench`: speed as ratios in one run, because machines differ and a ratio does not."""

import json
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from functions.bootstrap import tune_collector
from functions.local.bench import core, kafka
from functions.local.broker.choose import choose

SLICE = 10_000


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    records: int
    rounds: int
    broker: str
    as_json: bool


def bench(options: Options) -> None:
    """Measure, and print a table, or JSON."""
    console = Console(stderr=True)
    logins = kafka.values(options.records)
    tune_collector()
    with choose(options.broker, console.print) as broker:
        broker.create_topic(kafka.TOPIC, kafka.PARTITIONS)
        console.print(f"{broker.kind} {broker.version}: filling {kafka.TOPIC} with {len(logins):,} logins")
        kafka.fill(broker.bootstrap, logins)
        pairs = []
        for number in range(options.rounds):
            console.print(f"round {number + 1} of {options.rounds}: bare consumer, then worker")
            pairs.append((kafka.consume(broker.bootstrap, len(logins)), kafka.settle(broker.bootstrap, len(logins))))
    _print(options, len(logins), pairs, dict(core.steps(logins[:SLICE])), core.handler(logins[:SLICE]))


def _print(
    options: Options,
    records: int,
    pairs: list[tuple[float, float]],
    steps: dict[str, float],
    handler: tuple[float, float],
) -> None:
    ratio = median(bare / settled for bare, settled in pairs)
    found = {
        "records": records,
        "bare_records_per_second": round(records / median(bare for bare, _ in pairs)),
        "worker_records_per_second": round(records / median(settled for _, settled in pairs)),
        "ratio": round(ratio, 3),
        "microseconds_a_record": {name: round(value, 2) for name, value in steps.items()},
        "handler_cpu_ms_per_1000_records": round(handler[1], 2),
        "event_json_cpu_ms_per_1000_records": round(handler[0], 2),
    }
    if options.as_json:
        print(json.dumps(found, indent=1))  # noqa: T201 - what was asked for
        return
    table = Table("what", "figure", title=f"{options.rounds} rounds of {records:,} logins, medians")
    table.add_row("bare consume loop", f"{found['bare_records_per_second']:,} records/s")
    table.add_row("worker, all effects in memory", f"{found['worker_records_per_second']:,} records/s")
    table.add_row("[bold]worker to bare loop[/]", f"[bold]{ratio:.3f}[/]")
    for name, value in steps.items():
        table.add_row(f"  {name}", f"{value:.2f} µs a record")
    table.add_row("Lambda handler", f"{handler[1]:.2f} ms CPU per 1,000 records")
    table.add_row("  and json.loads of its event", f"{handler[0]:.2f} ms CPU per 1,000 records")
    Console().print(table)
