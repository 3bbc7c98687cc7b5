"""What a run came to: report.json, and a table for people."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from functions.local.demo.verdict import Verdict
from tests.chaos.crew import Crew
from tests.chaos.options import Options
from tests.chaos.watch import Watch

MIB: Final = 2**20
# What a worker may take more while the stores stand still, whatever lies in the log: the records in flight, half as
# much in the client's queue, and what is on its way between the two; and some megabytes that the allocator keeps.
STALL_TIMES: Final = 3
STALL_BYTES: Final = 32 * MIB
# What it may ever take beyond what it takes when idle: as many slices as it has threads, of 10,000 records with their
# models, rows, columns and Parquet, come on top.
ROOM_TIMES: Final = 4
ROOM_BYTES: Final = 160 * MIB


@dataclass(frozen=True, slots=True)
class Fault:
    """`at` and `seconds` since the beginning; `recovery`: seconds from its end to the next settled record."""

    at: float
    kind: str
    seconds: float
    recovery: float
    note: str


def report(options: Options, faults: list[Fault], verdict: Verdict, watch: Watch, crew: Crew) -> dict[str, Any]:
    """As it is written."""
    weighed = [each for each in crew.everyone if each.idle]
    idle = min((each.idle for each in weighed), default=0)  # of the others, some had begun before they were weighed
    growth = STALL_TIMES * options.bytes_in_flight + STALL_BYTES
    limit = idle + ROOM_TIMES * options.bytes_in_flight + ROOM_BYTES
    return {
        "exact": verdict.exact and verdict.records_in == options.records,
        "records": verdict.records_in,
        "seed": options.seed,
        "lost": verdict.missing,
        "doubled": verdict.duplicates,
        "wrong": verdict.wrong,
        "verdict": asdict(verdict) | {"exact": verdict.exact},
        "longest_stall_seconds": round(watch.longest_stall, 1),
        "longest_stall_at": round(watch.stalled_at, 1),
        "seconds": round(watch.now, 1),
        "bytes_in_flight": options.bytes_in_flight,
        "memory": {"idle": idle, "limit": limit, "peaks": {each.name: each.peak for each in weighed}},
        "stalls": [each._asdict() | {"grew": each.peak - each.before, "limit": growth} for each in crew.stalls],
        "too_heavy": [each.name for each in weighed if each.peak > limit]
        + [each.worker for each in crew.stalls if each.peak - each.before > growth],
        "msk": {name: count for name, count in asdict(crew.source.stats).items() if name != "durations"},
        "surprises": crew.surprises,
        "fault_count": len(faults),
        "fault_kinds": dict(sorted(Counter(fault.kind for fault in faults).items())),
        "faults": [asdict(fault) for fault in faults],
    }


def fine(told: dict[str, Any]) -> bool:
    """Whether the run shows what it must."""
    return bool(told["exact"] and not told["too_heavy"])


def write(told: dict[str, Any], out: Path) -> Path:
    """Where it lies."""
    file = out / "report.json"
    file.write_text(json.dumps(told, indent=1) + "\n")
    return file


def show(console: Console, told: dict[str, Any]) -> None:
    """The faults by kind, and the result."""
    kinds = Table("fault", "times", "longest, s", "slowest recovery, s", title="What was done", title_justify="left")
    for kind, times in told["fault_kinds"].items():
        of = [fault for fault in told["faults"] if fault["kind"] == kind]
        longest, slowest = (max(fault[name] for fault in of) for name in ("seconds", "recovery"))
        kinds.add_row(kind, str(times), f"{longest:.1f}", f"{slowest:.1f}")
    console.print(kinds)
    table = Table(title="What came of it", title_justify="left", show_header=False)
    for name, value in _rows(told):
        table.add_row(name, value)
    console.print(table)
    for line in (*told["verdict"]["problems"], *told["surprises"]):
        console.print(f"  {line}", markup=False)


def _rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    verdict = told["verdict"]
    matches = [name.removesuffix("_match") for name in verdict if name.endswith("_match") and not verdict[name]]
    memory, peaks = told["memory"], told["memory"]["peaks"].values()
    weights = [f"{each / MIB:.0f}" for each in (max(peaks, default=0), memory["idle"], memory["limit"])]
    stall = max(told["stalls"], key=lambda each: each["grew"], default={"grew": 0, "limit": 0})
    return [
        ("records", f"{told['records']:,}"),
        ("faults", f"{told['fault_count']}, of {len(told['fault_kinds'])} kinds"),
        ("lost", f"{told['lost']:,}"),
        ("doubled", f"{told['doubled']:,}"),
        ("wrong", f"{told['wrong']:,}"),
        ("counters, table, topic, queue", f"differ: {', '.join(matches)}" if matches else "match"),
        ("messages sent more than once", f"{verdict['topic_repeated']:,} (a topic sink may)"),
        ("longest stall", f"{told['longest_stall_seconds']:.1f} s, from {told['longest_stall_at']:.0f} s on"),
        ("memory of the heaviest worker", f"{weights[0]} MiB, idle {weights[1]}, limit {weights[2]}"),
        ("memory in a stall", f"grew by {stall['grew'] / MIB:.0f} MiB, limit {stall['limit'] / MIB:.0f}"),
        ("seconds", f"{told['seconds']:.0f}"),
        ("seed", str(told["seed"])),
    ]
