"""Setting lake objects aside, in the dead letter bucket.

Keys are `<pipeline>/quarantine/day=<YYYY-MM-DD>/<topic>-<partition>-<offset, 20 digits>.<digest>.parquet`. The digest
of the content makes a copy that is made again the same object, and that of another object at the offset another one.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

from functions.adapters.lake import PARQUET, S3Lake, key
from functions.adapters.objects import Objects
from functions.adapters.parquet import stored_counts
from functions.core.errors import Corrupt
from functions.core.operator_ports import LakeObject
from functions.core.ports import Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class S3LakeQuarantine:
    """See operator_ports.LakeQuarantine. `lake` and `dead_letters` are buckets."""

    s3: "S3Client"
    lake: str
    dead_letters: str

    def read(self, source: Source, day: date, offset: int) -> LakeObject | None:
        """See operator_ports.LakeQuarantine. Two requests."""
        object_key = key(source, day, offset)
        stored = Objects(self.s3, self.lake).get(object_key)
        if stored is None:
            return None
        first, counts = stored_counts(stored.body) or (None, None)
        return LakeObject(
            url=f"s3://{self.lake}/{object_key}",
            tag=stored.etag,
            content=stored.body,
            problem=self._problem(source, day, offset),
            counts=counts if first == offset else None,
        )

    def copies(self, source: Source, day: date, offset: int) -> list[str]:
        """See operator_ports.LakeQuarantine."""
        copies = Objects(self.s3, self.dead_letters).list(f"{_stem(source, day, offset)}.")
        return [f"s3://{self.dead_letters}/{copy}" for copy, _ in copies]

    def copy(self, source: Source, day: date, offset: int, content: bytes) -> str:
        """See operator_ports.LakeQuarantine. Two requests."""
        bucket = Objects(self.s3, self.dead_letters)
        digest = sha256(content).hexdigest()[:DIGEST_CHARACTERS]
        copy = f"{_stem(source, day, offset)}.{digest}.parquet"
        bucket.put(copy, content, PARQUET, {})
        stored = bucket.get(copy)
        if stored is None or stored.body != content:
            raise Corrupt(f"s3://{self.dead_letters}/{copy}: is not a copy of the lake object")
        return f"s3://{self.dead_letters}/{copy}"

    def delete(self, source: Source, day: date, offset: int, tag: str) -> bool:
        """See operator_ports.LakeQuarantine. One request. The bucket keeps the object as an old version."""
        return Objects(self.s3, self.lake).delete(key(source, day, offset), tag)

    def _problem(self, source: Source, day: date, offset: int) -> str | None:
        try:
            S3Lake(self.s3, self.lake).get(source, day, offset)
        except Corrupt as error:
            return str(error)
        return None


def _stem(source: Source, day: date, offset: int) -> str:
    """Return what the keys of copies of the objects at an offset begin with, without the pipeline's name twice."""
    pipeline, rest = key(source, day, offset).removesuffix(".parquet").split("/", 1)
    return f"{pipeline}/quarantine/{rest}"
