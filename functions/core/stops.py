"""Stops: what the ledger records of one, what it raises as, and when a topic was recreated under the ledger."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from functions.core.effects import EPOCH
from functions.core.errors import Corrupt, Flood, OffsetsWentBack, Stop
from functions.core.ports import DurableStop, Position, Source, StopReason
from functions.core.slice import Slice

MILLISECOND: Final = timedelta(milliseconds=1)
MAX_CLOCK_AHEAD_MS: Final = 24 * 60 * 60 * 1000
MAX_SKEW_MS: Final = 60 * 60 * 1000
ERRORS: Final[dict[StopReason, type[Stop]]] = {
    StopReason.FLOOD: Flood,
    StopReason.OFFSETS_WENT_BACK: OffsetsWentBack,
    StopReason.CORRUPT: Corrupt,
}
REASONS: Final = {error: reason for reason, error in ERRORS.items()}


def durable_stop(error: Stop, slice_: Slice, now: datetime) -> DurableStop | None:
    """Return what the ledger records of a stop at a slice; None for one that only this process makes, as Refused."""
    reason = REASONS.get(type(error))
    if reason is None:
        return None
    newest = newest_timestamp(slice_.timestamps, now)
    return DurableStop(reason, str(error), slice_.start, slice_.end, milliseconds(now), newest)


def raise_stop(source: Source, position: Position) -> None:
    """Raise the stop that the ledger has recorded, if there is one."""
    if position.stop is not None:
        raise ERRORS[position.stop.reason](f"{source} is stopped until an operator resumes it: {position.stop.detail}")


def resumed(position: Position, stop: DurableStop) -> Position:
    """Return the position after an operator has resumed it from `stop`.

    The rejects of a flood are accepted up to the refused slice's end, and the window begins anew after them. Of
    offsets that went back, the refused records below `next` count as settled from now on, and the topic's ID is learned
    again.
    """
    match stop.reason:
        case StopReason.FLOOD:
            return replace(position, stop=None, accepted=max(position.accepted, stop.last), window=())
        case StopReason.OFFSETS_WENT_BACK:
            return replace(position, stop=None, newest=max(position.newest, stop.newest), topic_id=None)
        case _:
            return replace(position, stop=None)


def refuse_recreated_topic(slice_: Slice, position: Position, now: datetime) -> None:
    """Raise OffsetsWentBack if a record below `next` is newer than the ledger's `newest`: it was never settled.

    A record that was too far ahead of the clock when it was settled is not in `newest`. When it is delivered again a
    while later it may be only just ahead, so times ahead of the clock show nothing.
    """
    below = slice_.timestamps[: bisect_left(slice_.offsets, position.next)]
    if newest_timestamp(below, now, MAX_SKEW_MS) > position.newest:
        raise OffsetsWentBack(
            f"{slice_}: the ledger has settled all offsets before {position.next}, but these records are newer than "
            "all settled records. Was the topic recreated or the cluster restored? To settle them, rewind the ledger"
        )


def newest_timestamp(timestamps: Sequence[int], now: datetime, ahead_ms: int = MAX_CLOCK_AHEAD_MS) -> int:
    """Return the greatest timestamp that is at most `ahead_ms` after `now`, in milliseconds; -1 if there is none.

    Producers choose timestamps: one from the year 2100 would hide every recreated topic until then.
    """
    limit = milliseconds(now) + ahead_ms
    if (greatest := max(timestamps, default=-1)) <= limit:  # as a rule, and faster than a comparison for each
        return greatest
    return max((timestamp for timestamp in timestamps if timestamp <= limit), default=-1)


def milliseconds(time: datetime) -> int:
    """Return a time in milliseconds since 1970."""
    return (time - EPOCH) // MILLISECOND
