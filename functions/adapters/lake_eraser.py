"""Erasing from lake objects, their versions, and their copies in the dead letter bucket.

lake and lake_quarantine describe the keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.adapters.lake import COVER, PARQUET
from functions.adapters.object_versions import ListedVersion, ObjectVersions
from functions.adapters.parquet import decode, encode, unknown_members
from functions.core.erase_ports import StoredVersion, TaggedIntent
from functions.core.errors import Corrupt
from functions.core.intent import Intent
from functions.core.record_place import RecordPlace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class S3LakeEraser:
    """See erase_ports.LakeEraser. `lake` and `dead_letters` are buckets."""

    s3: "S3Client"
    lake: str
    dead_letters: str
    pipeline: str

    def versions(self) -> Iterator[StoredVersion]:
        """See erase_ports.LakeEraser. One request for each 1,000 versions."""
        for listed in ObjectVersions(self.s3, self.lake).list(f"{self.pipeline}/day="):
            yield _stored(self.lake, listed, replaceable=listed.is_latest)
        for listed in ObjectVersions(self.s3, self.dead_letters).list(f"{self.pipeline}/quarantine/"):
            yield _stored(self.dead_letters, listed, replaceable=False)

    def read(self, version: StoredVersion) -> TaggedIntent | None:
        """See erase_ports.LakeEraser. One request."""
        bucket, key = _address(version)
        stored = ObjectVersions(self.s3, bucket).get(key, version.version)
        if stored is None:
            return None
        try:
            intent = decode(stored.body)
            if unknown := unknown_members(stored.body, intent):
                raise ValueError(f"a later version has written {', '.join(unknown)}: erase with that one")  # noqa: TRY301
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(f"{version.url}: {error}") from error
        return TaggedIntent(intent, stored.etag)

    def replace(self, version: StoredVersion, tag: str, intent: Intent) -> bool:
        """See erase_ports.LakeEraser. Two requests, the put on condition that the object has this entity tag."""
        bucket, key = _address(version)
        if version.place is None:
            raise Corrupt(f"{version.url}: is not the key of a lake object")
        cover = intent.cover
        metadata = dict(zip(COVER, map(str, (cover.next, cover.start, cover.end, cover.newest)), strict=True))
        body = encode(intent, version.place.partition)
        return ObjectVersions(self.s3, bucket).replace(key, version.version, tag, body, PARQUET, metadata)

    def remove(self, version: StoredVersion) -> None:
        """See erase_ports.LakeEraser. One request."""
        bucket, key = _address(version)
        ObjectVersions(self.s3, bucket).remove(key, version.version)


def _stored(bucket: str, listed: ListedVersion, *, replaceable: bool) -> StoredVersion:
    return StoredVersion(f"s3://{bucket}/{listed.key}", listed.version, _place(listed.key), replaceable)


def _address(version: StoredVersion) -> tuple[str, str]:
    """Return the bucket and the key."""
    bucket, _, key = version.url.removeprefix("s3://").partition("/")
    return bucket, key


def _place(key: str) -> RecordPlace | None:
    """Return the first record of the object with this key; a copy's key has a digest behind the offset."""
    name = key.rpartition("/")[2].removesuffix(".parquet")
    topic, _, numbers = name.rpartition("-")
    topic, _, partition = topic.rpartition("-")
    offset = numbers.partition(".")[0]
    if not (topic and partition.isdecimal() and offset.isdecimal()):
        return None
    return RecordPlace(topic, int(partition), int(offset))
