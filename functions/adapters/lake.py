"""The lake on S3: one Parquet object for each range of offsets, written once.

Keys read `<pipeline>/day=<YYYY-MM-DD>/<topic>-<partition>-<offset, 20 digits>.parquet` and derive from the ledger
alone. What an object covers is in its metadata: `next`, `start`, `end` and `newest` (see Cover), as decimal numbers.
"""

from dataclasses import astuple, dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from functions.adapters.objects import Objects
from functions.adapters.parquet import decode, encode
from functions.core.errors import Corrupt
from functions.core.ports import Cover, Source
from functions.core.rows import Rows
from functions.core.schema import Schema

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PARQUET: Final = "application/vnd.apache.parquet"
COVER: Final = ("next", "start", "end", "newest")


@dataclass(frozen=True, slots=True)
class S3Lake:
    """The objects of one pipeline's rows in `bucket`."""

    s3: "S3Client"
    bucket: str
    schema: Schema

    def put(self, source: Source, day: date, cover: Cover, rows: Rows) -> bool:
        """See ports.Lake. One request, its body compressed."""
        body = encode(self.schema, source.partition, rows)
        metadata = dict(zip(COVER, map(str, astuple(cover)), strict=True))
        return Objects(self.s3, self.bucket).put(key(source, day, cover.next), body, PARQUET, metadata)

    def get(self, source: Source, day: date, offset: int) -> tuple[Cover, Rows]:
        """See ports.Lake. One request."""
        at = key(source, day, offset)
        found = Objects(self.s3, self.bucket).get(at)
        if found is None:
            raise Corrupt(f"s3://{self.bucket}/{at}: there is no such object, though a writer met it here")
        body, metadata = found
        try:
            cover = Cover(*(int(metadata[name]) for name in COVER))
            rows = decode(self.schema, body)
        except (KeyError, ValueError) as error:
            raise Corrupt(f"s3://{self.bucket}/{at}: is not an object of this lake: {error!r}") from error
        if cover.next != offset:
            raise Corrupt(f"s3://{self.bucket}/{at}: covers offsets from {cover.next}, not from {offset}")
        return cover, rows


def key(source: Source, day: date, offset: int) -> str:
    """Where the object lies that begins at `offset`."""
    return f"{source.pipeline}/day={day}/{source.topic}-{source.partition}-{offset:020d}.parquet"
