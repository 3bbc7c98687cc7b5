"""Dead letters on S3, each written once, for as long as somebody needs them.

Keys read `<pipeline>/reason=<reason>/day=<YYYY-MM-DD>/<topic>-<partition>-<offset, 20 digits>.json`, the day being that
of the record's timestamp. What lies there: see letter_json.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from functions.adapters.aws import WRITERS
from functions.adapters.letter_json import encode
from functions.adapters.objects import Objects
from functions.adapters.parallel import for_each
from functions.core.dead_letter import DeadLetter
from functions.core.effects import EPOCH

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JSON: Final = "application/json"
LAST: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class S3DeadLetters:
    """See ports.DeadLetters. A letter that is there already is left as it is, so that it is announced once."""

    s3: "S3Client"
    bucket: str
    pool: Executor = field(default_factory=lambda: ThreadPoolExecutor(WRITERS, "dead-letters"))

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """One request a letter. Unavailable may leave some stored: storing again is right."""
        for_each(self.pool, self._store, letters)

    def _store(self, letter: DeadLetter) -> None:
        Objects(self.s3, self.bucket).put(key(letter), encode(letter), JSON, {})


def key(letter: DeadLetter) -> str:
    """Where a letter lies. Producers choose timestamps: one that no calendar has counts as the nearest that it has."""
    day = (EPOCH + timedelta(milliseconds=min(max(letter.timestamp, 0), LAST))).date()
    place = f"{letter.topic}-{letter.partition}-{letter.offset:020d}"
    return f"{letter.pipeline}/reason={letter.reason.value}/day={day}/{place}.json"
