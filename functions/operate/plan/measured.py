"""What a record costs, as the benchmark measured it: measured.json, which `make docs` writes from its report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("measured.json")


@dataclass(frozen=True, slots=True)
class RecordCosts:
    """CPU microseconds of each part, on one vCPU of the machine that was measured."""

    record: float
    """One record on the worker, with all effects in memory."""

    handled: float
    """The same in the Lambda handler."""

    row: float
    """One row of the table sink."""

    reject: float
    """One rejected record, with its dead letter."""

    slice_: float
    """The requests that a slice needs however short it is."""

    def worker(self, keys: float, rejects: float, slice_records: float) -> float:
        """Return the CPU microseconds of a record on the worker.

        `keys`: distinct keys of a slice / its records. `rejects`: share of the records.
        """
        return self._of(self.record, keys, rejects, slice_records)

    def handler(self, keys: float, rejects: float, slice_records: float) -> float:
        """Return the CPU microseconds of a record on Lambda; see `worker`."""
        return self._of(self.handled, keys, rejects, slice_records)

    def _of(self, record: float, keys: float, rejects: float, slice_records: float) -> float:
        return (1 - rejects) * (record + keys * self.row) + rejects * self.reject + self.slice_ / slice_records


def measured_costs() -> RecordCosts:
    """Return the costs that come with Tandem."""
    return RecordCosts(**json.loads(FILE.read_text(encoding="utf-8"))["cpu_microseconds"])
