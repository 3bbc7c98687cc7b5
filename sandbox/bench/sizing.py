"""What a load needs: vCPU, pods, pollers, partitions, DynamoDB's units and dollars, from the benchmark's figures.

    python -m sandbox.bench.sizing --report build/bench/report.json --rate 50000 --keys 0.2

The model is linear. CPU for one record = a record in memory + a row of the table sink for each distinct key of a slice,
or a rejected record + a slice's fixed cost, spread over its records. It holds for the machine that was measured.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final

from functions.operate.plan import prices
from functions.operate.plan.measured import RecordCosts
from functions.operate.plan.prices import INVOCATIONS, NODE, POLLER_UNIT, PUTS, WRITES, region_prices

SECONDS: Final = 730 * 3600  # in a month
USE: Final = 0.7  # of a core, so that a backlog shrinks
VCPU_MEMORY_MIB: Final = 1769  # Lambda's memory with one vCPU
POLLER_BYTES: Final = 5_000_000  # a second, of one event poller; a unit is ten, and carries 20 MB/s
UNIT_BYTES: Final = 20_000_000
UNIT_POLLERS: Final = 10
PARTITION_BYTES: Final = 10_000_000  # a second, of one partition: what brokers are commonly sized for
COUNTS: Final = 5  # items of a counter sink in a slice: one minute, five device types
TRANSACTION: Final = 2  # write units for each item of a transaction
TABLE_UNITS: Final = 40_000  # write units a second of one table, until AWS raises the account's quota

# US dollars
PRICES: Final = region_prices("us-east-1").prices
NODE_HOUR: Final = PRICES[NODE]  # of two vCPU
GB_SECOND: Final = PRICES[prices.GB_SECOND]
MILLION_INVOCATIONS: Final = PRICES[INVOCATIONS]
MILLION_UNITS: Final = PRICES[WRITES]
MILLION_PUTS: Final = PRICES[PUTS]
POLLER_UNIT_HOUR: Final = PRICES[POLLER_UNIT]


@dataclass(frozen=True, slots=True)
class Load:
    """`rate`: records/s. `keys`: distinct keys of a slice / its records. `rejects`: share of the records."""

    rate: float
    record_bytes: int = 200
    slice_records: int = 10_000
    keys: float = 0.1
    rejects: float = 0.0
    counter_items: int = COUNTS

    @property
    def shape(self) -> tuple[float, float, float]:
        """What a record's CPU depends on: see RecordCosts.worker."""
        return self.keys, self.rejects, self.slice_records


@dataclass(frozen=True, slots=True)
class Size:
    """What a load needs on each runtime; dollars a month without Kafka, network and storage."""

    worker_vcpu: float
    pods: int
    lambda_vcpu: float
    concurrency: int
    pollers: int
    poller_units: int
    partitions: int
    write_units: float  # a second, of all tables
    row_units: float  # a second, of the table sink alone
    over_table_quota: bool
    lake_puts: float  # a second
    stores_dollars: float
    worker_dollars: float
    lambda_dollars: float


def costs(report: Mapping[str, Any]) -> RecordCosts:
    """Derive the costs of the parts from a report's medians."""

    def cpu(name: str) -> float:
        return float(report["measurements"][name]["cpu_microseconds"]["median"])

    record, row, repeated = cpu("worker_pydantic"), cpu("table_rows"), cpu("http_repeated")
    keys, slices = shares(report, "http_repeated")
    return RecordCosts(
        record=record,
        handled=cpu("handler"),
        row=row,
        reject=2 * cpu("http_rejects_50") - repeated,  # half of the records cost what they cost without rejects
        slice_=max(0.0, repeated - record - keys * row) / slices,  # what is left belongs to the slices
    )


def shares(report: Mapping[str, Any], name: str) -> tuple[float, float]:
    """Return how many rows and slices a record needed, in a measurement over HTTP without rejects.

    A row that lost against a newer one of another partition counts: it was written, and refused.
    """
    requests = report["measurements"][name]["requests_per_1000"]
    return max(requests.get("PutItem", 0), requests["rows"]) / 1000, requests["PutObject"] / 1000


def size(load: Load, measured: RecordCosts) -> Size:
    """Return what a load needs."""
    slices = load.rate / load.slice_records
    worker, function = (load.rate * one(*load.shape) / 1e6 for one in (measured.worker, measured.handler))
    pods = max(1, ceil(worker / USE))
    concurrency = max(1, ceil(function / USE))
    traffic = load.rate * load.record_bytes
    pollers = max(1, ceil(traffic / POLLER_BYTES), ceil(concurrency / 5))
    units = max(ceil(pollers / UNIT_POLLERS), ceil(traffic / UNIT_BYTES))
    rows = load.rate * load.keys * (1 - load.rejects)
    writes = rows + slices * (1 + TRANSACTION * (1 + load.counter_items))
    puts = slices + load.rate * load.rejects
    stores = SECONDS / 1e6 * (writes * MILLION_UNITS + puts * MILLION_PUTS)
    seconds = SECONDS * function  # of one vCPU
    return Size(
        worker_vcpu=worker,
        pods=pods,
        lambda_vcpu=function,
        concurrency=concurrency,
        pollers=pollers,
        poller_units=units,
        partitions=max(pods, concurrency, ceil(traffic / PARTITION_BYTES)),
        write_units=writes,
        row_units=rows,
        over_table_quota=rows > TABLE_UNITS,
        lake_puts=puts,
        stores_dollars=stores,
        worker_dollars=stores + pods / 2 * NODE_HOUR * SECONDS / 3600,
        lambda_dollars=stores
        + seconds * VCPU_MEMORY_MIB / 1024 * GB_SECOND
        + slices * SECONDS / 1e6 * MILLION_INVOCATIONS
        + units * POLLER_UNIT_HOUR * SECONDS / 3600,
    )


def table(measured: RecordCosts, loads: Iterator[Load]) -> str:
    """Return the sizes of loads as a Markdown table."""
    head = (
        "| records/s | keys | worker vCPU | pods | Lambda vCPU | poller units | partitions | write units/s | stores $ "
        "| worker $ | Lambda $ |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    return "\n".join([head, *(_row(load, size(load, measured)) for load in loads)])


def _row(load: Load, needs: Size) -> str:
    quota = " ¹" if needs.over_table_quota else ""
    figures = (
        f"{load.rate:,.0f}", f"{load.keys:.0%}", f"{needs.worker_vcpu:,.2f}", f"{needs.pods:,}",
        f"{needs.lambda_vcpu:,.2f}", f"{needs.poller_units:,}", f"{needs.partitions:,}",
        f"{needs.write_units:,.0f}{quota}", f"{needs.stores_dollars:,.0f}", f"{needs.worker_dollars:,.0f}",
        f"{needs.lambda_dollars:,.0f}",
    )  # fmt: skip
    return f"| {' | '.join(figures)} |"


def main() -> None:
    """Print the sizes for one rate, or for 1,000 to 10 million records/s."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path, default=Path("build/bench/report.json"))
    parser.add_argument("--rate", type=float)
    parser.add_argument("--keys", type=float, default=None, help="distinct keys of a slice / its records")
    parser.add_argument("--rejects", type=float, default=0.0)
    parser.add_argument("--bytes", type=int, default=200)
    given = parser.parse_args()
    measured = costs(json.loads(given.report.read_text(encoding="utf-8")))
    rates = [given.rate] if given.rate else [10.0**exponent for exponent in range(3, 8)]
    shares = [given.keys] if given.keys is not None else [0.01, 1.0]
    loads = (Load(rate, given.bytes, keys=keys, rejects=given.rejects) for rate in rates for keys in shares)
    sys.stdout.write(table(measured, loads) + "\n")


if __name__ == "__main__":
    main()
