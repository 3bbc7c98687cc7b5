"""Lanes and what is read into them, for tests of the worker."""

from typing import Any

from functions.core.pipeline import Limits
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.records import Run

LIMITS = Limits(slice_records=3, slice_bytes=1000, slice_seconds=5.0)
RECORD_BYTES = 10


def lane(position: int = 0, partition: int = 0, **changes: Any) -> Lane:
    return Lane("click", partition, position, **({"limits": LIMITS} | changes))


def run(*offsets: int, partition: int = 0, size: int | None = None) -> Run:
    n = len(offsets)
    return Run(
        partition, [*offsets], [*offsets], [b"k"] * n, [b"%d" % offset for offset in offsets], [()] * n,
        n * RECORD_BYTES if size is None else size,
    )  # fmt: skip
