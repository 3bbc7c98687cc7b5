"""Dedup: of several records with the same event, only one has effects. Producers repeat themselves.

The first record that claims an event keeps it: the claim holds the record's coordinates, so the same record may claim
again, on either runtime and after any crash, and another one may not while the claim is younger than `within`. Times
are those of the records, so that a replay decides alike. Only records that become rows or deletes claim; a record that
was redriven claims as the one that it repeats.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from uuid import UUID

from functions.core.record_place import RecordPlace
from functions.core.redrive import redriven_from
from functions.core.slice import Slice

KEPT_PERIODS: Final = 3  # of `within`: how long a claim decides about records that are replayed
DIGEST_BYTES: Final = 16  # 128 bits: no collision is expected among a billion events


@dataclass(frozen=True, slots=True)
class Dedup:
    """Drop a record whose event was seen before."""

    by: str
    """The field of the event model that identifies the event: text, an integer or a UUID; None is never dropped."""

    within: timedelta
    """How far apart the timestamps of an event's records may be."""

    @property
    def within_ms(self) -> int:
        """`within`, in milliseconds."""
        return round(self.within.total_seconds() * 1000)

    def event_id(self, event: Any) -> str | None:  # noqa: ANN401 - any event model
        """Return what identifies an event; None if the field is None: then nothing is dropped. Raises TypeError."""
        value = getattr(event, self.by)
        if value is None:
            return None
        if not isinstance(value, str | int | UUID):
            raise TypeError(f"{self.by}: expected text, an integer or a UUID to identify the event")
        return str(value)


class SeenEvent(NamedTuple):
    """A record that claims an event. `key`: the hash of pipeline and event; `time`: the record's, in milliseconds."""

    key: str
    place: RecordPlace
    time: int

    def repeats(self, other: "SeenEvent", within_ms: int) -> bool:
        """Whether this record repeats the event that another one has claimed."""
        return self.place != other.place and abs(self.time - other.time) <= within_ms


def holder_of(claims: Iterable[SeenEvent], event: SeenEvent, within_ms: int) -> SeenEvent | None:
    """Return the claim of another record that this one repeats; None if it may claim, or has claimed."""
    found = [claim for claim in claims if claim.place == event.place or event.repeats(claim, within_ms)]
    if any(claim.place == event.place for claim in found):
        return None
    return found[0] if found else None


def with_claim(claims: Sequence[SeenEvent], event: SeenEvent, within_ms: int) -> list[SeenEvent]:
    """Return the claims with one more, without those too old to matter to a replay."""
    oldest = max([event.time, *(claim.time for claim in claims)]) - KEPT_PERIODS * within_ms
    others = [claim for claim in claims if claim.place != event.place and claim.time >= oldest]
    return sorted([*others, event], key=lambda claim: (claim.time, claim.place))


Claim = Callable[[Sequence[SeenEvent], int], Sequence[SeenEvent | None]]


def repeated_offsets(events: Mapping[int, SeenEvent], claim: Claim, within_ms: int) -> set[int]:
    """Claim the events of the records at these offsets, and return the offsets of those that repeat another record's.

    Of several records of one slice with the same event, each waits for what became of the one before it.
    """
    holders: dict[str, list[SeenEvent]] = {}
    repeated: set[int] = set()
    waiting = dict(sorted(events.items()))
    while waiting:
        batch: dict[str, int] = {}
        later: dict[int, SeenEvent] = {}
        for offset, event in waiting.items():
            if event.key in batch:
                later[offset] = event
            elif holder_of(holders.get(event.key, ()), event, within_ms) is not None:
                repeated.add(offset)
            else:
                batch[event.key] = offset
        claimed = [waiting[offset] for offset in batch.values()]
        for event, offset, holder in zip(claimed, batch.values(), claim(claimed, within_ms), strict=True):
            holders.setdefault(event.key, []).append(holder or event)
            if holder is not None:
                repeated.add(offset)
        waiting = later
    return repeated


def seen_events(
    pipeline: str, slice_: Slice, ids: Sequence[tuple[int, str]], clock: int, newest: int
) -> dict[int, SeenEvent]:
    """Return what the record at each offset claims.

    `clock`, `newest`: the greatest timestamp settled before, and that of the slice, in milliseconds; a timestamp that
    no clock has becomes `clock`.
    """
    indexes = {offset: index for index, offset in enumerate(slice_.offsets)}
    events: dict[int, SeenEvent] = {}
    for offset, event_id in ids:
        index = indexes[offset]
        timestamp = slice_.timestamps[index]
        time = timestamp if 0 <= timestamp <= newest else max(clock, 0)
        events[offset] = SeenEvent(_key(pipeline, event_id), _place(slice_, index), time)
    return events


def _key(pipeline: str, event_id: str) -> str:
    """Return a key of fixed length, which reveals nothing about a person."""
    digest = blake2b(event_id.encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()
    return f"{pipeline}#{digest}"


def _place(slice_: Slice, index: int) -> RecordPlace:
    origins = redriven_from(slice_.headers[index])
    return origins[0] if origins else RecordPlace(slice_.topic, slice_.partition, slice_.offsets[index])
