"""The result of a run: report.json, and a table for people."""

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from sandbox.demo.verify import Verdict
from tests.chaos.faults import KINDS
from tests.chaos.monitor import ChaosMonitor
from tests.chaos.options import ChaosOptions
from tests.chaos.runtimes import Runtimes

MIB: Final = 2**20
# The growth allowed to a worker while the stores answer nothing, whatever is in the log: the records in flight, half as
# much in the client's queue, what is between the two, and some megabytes that the allocator keeps.
STALL_TIMES: Final = 3
STALL_BYTES: Final = 32 * MIB
# The memory allowed to a worker beyond that of an idle one: also as many slices as it has threads, of 10,000 records
# with their models, rows, columns and Parquet.
ROOM_TIMES: Final = 4
ROOM_BYTES: Final = 160 * MIB
MANIFEST: Final = Path(__file__).parents[2] / "k8s/base/deployment.yaml"
MAX_STILL_SECONDS: Final = 20.0  # of a partition that a contained fault does not concern


@dataclass(frozen=True, slots=True)
class FaultReport:
    """Times are in seconds. `at` is since the beginning; `recovery` is from its end to the next settled record.

    `still`: the longest time without progress of a partition that the fault does not concern.
    """

    at: float
    kind: str
    seconds: float
    recovery: float
    still: float
    note: str


def report(
    options: ChaosOptions, faults: list[FaultReport], verdict: Verdict, watch: ChaosMonitor, runtimes: Runtimes
) -> dict[str, Any]:
    """Return the report, ready for JSON."""
    measured = [each for each in runtimes.all_workers if each.idle]
    idle = min((each.idle for each in measured), default=0)  # others had started work before they were measured
    growth = STALL_TIMES * options.bytes_in_flight + STALL_BYTES
    limit = min(idle + ROOM_TIMES * options.bytes_in_flight + ROOM_BYTES, manifest_bytes())
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
        "memory": {"idle": idle, "limit": limit, "peaks": {each.name: each.peak for each in measured}},
        "stalls": [each._asdict() | {"grew": each.peak - each.before, "limit": growth} for each in runtimes.stalls],
        "too_heavy": [each.name for each in measured if each.peak > limit]
        + [each.worker for each in runtimes.stalls if each.peak - each.before > growth],
        "too_still": sorted(
            {
                f"{fault.kind}: {fault.still} s"
                for fault in faults
                if KINDS[fault.kind].contained and fault.still > MAX_STILL_SECONDS
            }
        ),
        "lethal_ends": runtimes.lethal_ends,
        "msk": {name: count for name, count in asdict(runtimes.source.stats).items() if name != "durations"},
        "surprises": runtimes.surprises,
        "fault_count": len(faults),
        "fault_kinds": dict(sorted(Counter(fault.kind for fault in faults).items())),
        "faults": [asdict(fault) for fault in faults],
    }


def passed(result: dict[str, Any]) -> bool:
    """Whether the run was exact, within its memory limits, and no contained fault held up other partitions."""
    return bool(result["exact"] and not result["too_heavy"] and not result["too_still"])


def manifest_bytes() -> int:
    """Return the memory that the manifest allows a worker, in bytes."""
    *_, limit = re.findall(r"memory: (\d+)Mi", MANIFEST.read_text())
    return int(limit) * MIB


def write(result: dict[str, Any], out: Path) -> Path:
    """Write the report to a folder; return its path."""
    file = out / "report.json"
    file.write_text(json.dumps(result, indent=1) + "\n")
    return file


def show(console: Console, result: dict[str, Any]) -> None:
    """Print the faults by kind, and the result."""
    kinds = Table(
        "fault", "times", "longest, s", "slowest recovery, s", "longest still, s", title="Faults", title_justify="left"
    )
    for kind, times in result["fault_kinds"].items():
        of = [fault for fault in result["faults"] if fault["kind"] == kind]
        longest = [max(fault[name] for fault in of) for name in ("seconds", "recovery", "still")]
        kinds.add_row(kind, str(times), *(f"{seconds:.1f}" for seconds in longest))
    console.print(kinds)
    table = Table(title="Result", title_justify="left", show_header=False)
    for name, value in _rows(result):
        table.add_row(name, value)
    console.print(table)
    for line in (*result["verdict"]["problems"], *result["surprises"], *result["too_still"]):
        console.print(f"  {line}", markup=False)


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    verdict = result["verdict"]
    matches = [name.removesuffix("_match") for name in verdict if name.endswith("_match") and not verdict[name]]
    memory, peaks = result["memory"], result["memory"]["peaks"].values()
    weights = [f"{each / MIB:.0f}" for each in (max(peaks, default=0), memory["idle"], memory["limit"])]
    stall = max(result["stalls"], key=lambda each: each["grew"], default={"grew": 0, "limit": 0})
    return [
        ("records", f"{result['records']:,}"),
        ("faults", f"{result['fault_count']}, of {len(result['fault_kinds'])} kinds"),
        ("lost", f"{result['lost']:,}"),
        ("doubled", f"{result['doubled']:,}"),
        ("wrong", f"{result['wrong']:,}"),
        ("counters, table, topic, queue", f"differ: {', '.join(matches)}" if matches else "match"),
        ("messages sent more than once", f"{verdict['topic_repeated']:,} (a topic sink may)"),
        ("longest stall", f"{result['longest_stall_seconds']:.1f} s, from {result['longest_stall_at']:.0f} s on"),
        ("memory of the heaviest worker", f"{weights[0]} MiB, idle {weights[1]}, limit {weights[2]}"),
        ("memory in a stall", f"grew by {stall['grew'] / MIB:.0f} MiB, limit {stall['limit'] / MIB:.0f}"),
        ("workers ended by lethal records", str(result["lethal_ends"])),
        ("seconds", f"{result['seconds']:.0f}"),
        ("seed", str(result["seed"])),
    ]
