"""A redriven record: the claim that keeps two redrives from sending it, and the headers that say where it came from.

The claim also says whether the record's dead letters are closed: it was redriven, or they were discarded.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from functions.core.record_place import RecordPlace, parse_place
from functions.core.slice import Headers

REDRIVEN_FROM: Final = "tandem-redriven-from"  # topic/partition/offset: of the first record, and of the last one
MAX_DIGITS: Final = 9  # of the number of redrives; producers may write any header
REDRIVES: Final = "tandem-redrives"  # how often the record has been redriven, as a decimal number


class ClaimState(StrEnum):
    """How far the redrive of a record has come, or that its letters were discarded."""

    SENDING = "sending"
    SENT = "sent"
    DISCARDED = "discarded"


class RedriveClaim(NamedTuple):
    """The last redrive of the record at `place`, or the run that discarded its letters.

    `owner` is the run that claimed it, `times` counts the redrives of this record, and `since` is the end of the target
    partition when it was claimed: if the record was sent, it is there or after it. A discard has its own place there.
    """

    place: RecordPlace
    state: ClaimState
    times: int
    owner: str
    claimed_at: datetime
    since: RecordPlace


def redrive_headers(headers: Headers, place: RecordPlace, times: int) -> list[tuple[str, bytes | None]]:
    """Return the record's headers with those of a redrive.

    A record that was redriven before continues its count, and names the first record, too: Dedup knows the event by it.
    """
    own = [(name, value) for name, value in headers if name not in (REDRIVEN_FROM, REDRIVES)]
    before = next((value for name, value in headers if name == REDRIVES), None) or b"0"
    redrives = (int(before) if before.isdigit() and len(before) <= MAX_DIGITS else 0) + times
    places = [*redriven_from(headers)[:1], place]
    return [*own, *((REDRIVEN_FROM, str(place).encode()) for place in places), (REDRIVES, b"%d" % redrives)]


def redriven_from(headers: Iterable[tuple[str, bytes | None]]) -> list[RecordPlace]:
    """Return the places that a record's headers say it was redriven from, the first one first.

    Empty when a header is not Tandem's.
    """
    try:
        return [parse_place(value.decode()) for name, value in headers if name == REDRIVEN_FROM and value]
    except ValueError:
        return []
