"""Lanes and runs of records, for tests of the worker."""

from typing import Any

from functions.core.pipeline import Limits
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.pace import Pace
from functions.runtimes.worker.records import Run

LIMITS = Limits(slice_records=3, slice_bytes=1000, slice_seconds=5.0)
RECORD_BYTES = 10


def make_lane(position: int = 0, partition: int = 0, limits: Limits = LIMITS, **changes: Any) -> Lane:
    """Return an open lane that the client reads."""
    state = {"position": position, "is_open": True, "attached": True} | changes
    return Lane("click", partition, limits, Pace(limits.slice_records, 75.0), **state)


def run(*offsets: int, partition: int = 0, size: int | None = None, topic: str = "click") -> Run:
    n = len(offsets)
    return Run(
        topic, partition, [*offsets], [*offsets], [b"k"] * n, [b"%d" % offset for offset in offsets], [()] * n,
        n * RECORD_BYTES if size is None else size,
    )  # fmt: skip
