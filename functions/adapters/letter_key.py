"""The S3 key of a dead letter, written and parsed here only.

`<pipeline>/reason=<reason>/day=<YYYY-MM-DD>/<topic>-<partition>-<offset, 20 digits>.json`, the day being that of the
record's timestamp in UTC.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import EPOCH
from functions.core.errors import Corrupt
from functions.core.record_place import RecordPlace

MAX_TIMESTAMP: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


class LetterKey(NamedTuple):
    """What a key says of its letter."""

    reason: str
    day: str
    place: RecordPlace


def letter_key(letter: DeadLetter) -> str:
    """Return the key of a letter. Producers choose timestamps: outside of the calendar the nearest day counts."""
    day = (EPOCH + timedelta(milliseconds=min(max(letter.timestamp, 0), MAX_TIMESTAMP))).date()
    place = RecordPlace(letter.topic, letter.partition, letter.offset)
    return f"{prefix(letter.pipeline, letter.reason, str(day))}{file_name(place)}"


def file_name(place: RecordPlace) -> str:
    """Return the last part of the key of a record's letters."""
    return f"{place.topic}-{place.partition}-{place.offset:020d}.json"


def prefix(pipeline: str, reason: Reason | None = None, day: str | None = None) -> str:
    """Return what the keys of a pipeline's letters begin with, or of those of a reason, or of a reason and a day."""
    if reason is None:
        return f"{pipeline}/reason="
    return f"{pipeline}/reason={reason.value}/day=" + ("" if day is None else f"{day}/")


def parse_letter_key(key: str) -> LetterKey:
    """Parse what `letter_key` returned; Corrupt for any other key."""
    try:
        _, reason, day, name = key.split("/")
        topic, partition, offset = name.removesuffix(".json").rsplit("-", 2)
        place = RecordPlace(topic, int(partition), int(offset))
    except ValueError:
        raise Corrupt(f"{key}: is not the key of a dead letter") from None
    return LetterKey(reason.removeprefix("reason="), day.removeprefix("day="), place)
