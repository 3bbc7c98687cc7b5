"""How a record that ends its process is found (law 9).

An attempt that ends with its process leaves its owner in the ledger. The next owner settles the same records in
sixteenths, so that the ledger itself moves to the culprit: 10,000 records, then 625, 40, 3, 1. A record with which two
more attempts end, at it alone, is set aside. So a slice needs six restarts; a Lambda mapping gives ten tries.

The ledger cannot tell an attempt that has ended from one that is slow, so writers that overlap suspect each other. A
writer that returns is acquitted. After a mapping gave up, the next record to settle may be another one at the same
`next`; what happened to the one before is not held against it.
"""

from dataclasses import replace
from typing import Final

from functions.core.dead_letter import Reason, Rejection
from functions.core.ports import Suspect
from functions.core.slice import Slice

PARTS: Final = 16
MAX_ATTEMPTS_ALONE: Final = 2  # that end with their process: one may be a coincidence


def narrowed(suspect: Suspect | None, slice_: Slice, owner: str) -> Suspect:
    """Return the suspect after `owner`'s attempt at `slice_`, whose first record is the next one to settle."""
    if suspect is None:
        return Suspect(slice_.end, _part(len(slice_)))
    if suspect.size == 1:
        record = _first_offset(slice_)
        others = suspect.alone if suspect.end == record else ()
        return Suspect(record, 1, (*(other for other in others if other != owner), owner))
    return Suspect(first_records(slice_, suspect.size).end, _part(suspect.size))


def acquitted(suspect: Suspect | None, owner: str) -> Suspect | None:
    """Return the suspect without an owner that has returned."""
    if suspect is None or owner not in suspect.alone:
        return suspect
    return replace(suspect, alone=tuple(other for other in suspect.alone if other != owner))


def first_records(slice_: Slice, count: int) -> Slice:
    """Return the slice up to its record number `count`."""
    return slice_.until(slice_.offsets[count - 1]) if len(slice_) > count else slice_


def lethal(suspect: Suspect | None, slice_: Slice) -> Rejection | None:
    """Return the rejection of the slice's first record, if too many attempts at it alone ended with their process."""
    if suspect is None or len(suspect.alone) < MAX_ATTEMPTS_ALONE or suspect.end != _first_offset(slice_):
        return None
    return Rejection(
        0,
        Reason.LETHAL,
        f"{len(suspect.alone)} attempts to settle this record alone ended with their process: it hangs, exhausts the "
        "memory or crashes a library",
    )


def _first_offset(slice_: Slice) -> int:
    return slice_.offsets[0] if len(slice_) else slice_.end


def _part(size: int) -> int:
    return max(1, -(-size // PARTS))
