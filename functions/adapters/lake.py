"""The lake on S3: one Parquet object for each range of offsets, written once.

Keys are `<pipeline>/day=<YYYY-MM-DD>/<topic>-<partition>-<offset, 20 digits>.parquet` and derive from the ledger
alone. An object's metadata repeats its Cover: `next`, `start`, `end` and `newest`, as decimal numbers.
"""

from dataclasses import astuple, dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from functions.adapters.objects import Objects
from functions.adapters.parquet import decode, encode
from functions.core.errors import Corrupt
from functions.core.intent import Intent
from functions.core.ports import Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PARQUET: Final = "application/vnd.apache.parquet"
COVER: Final = ("next", "start", "end", "newest")


@dataclass(frozen=True, slots=True)
class S3Lake:
    """The objects of all pipelines in `bucket`."""

    s3: "S3Client"
    bucket: str

    def put(self, source: Source, day: date, intent: Intent) -> bool:
        """See ports.LakeStore. One request with a compressed body."""
        cover = intent.cover
        body = encode(intent, source.partition)
        metadata = dict(zip(COVER, map(str, astuple(cover)), strict=True))
        return Objects(self.s3, self.bucket).put(key(source, day, cover.next), body, PARQUET, metadata)

    def get(self, source: Source, day: date, offset: int) -> Intent | None:
        """See ports.LakeStore. One request."""
        object_key = key(source, day, offset)
        stored = Objects(self.s3, self.bucket).get(object_key)
        if stored is None:
            return None
        try:
            intent = decode(stored[0])
            if intent.cover.next != offset:
                raise ValueError(f"expected an object that covers offsets from {offset}, got {intent.cover.next}")  # noqa: TRY301
        except (KeyError, TypeError, ValueError) as error:
            url = f"s3://{self.bucket}/{object_key}"
            raise Corrupt(f"{url}: {_text(error)}. `tandem quarantine` sets the object aside") from error
        return intent


def _text(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def key(source: Source, day: date, offset: int) -> str:
    """Return the key of the object whose first offset is `offset`."""
    return f"{source.pipeline}/day={day}/{source.topic}-{source.partition}-{offset:020d}.parquet"
