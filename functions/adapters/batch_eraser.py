"""Erasing from the batches that event source mappings gave up on, with all of their versions. See discarded_batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from functions.adapters.discarded_batches import PREFIX
from functions.adapters.object_versions import ObjectVersions
from functions.core.erase_ports import StoredVersion, TaggedBody

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class S3BatchEraser:
    """See erase_ports.BatchEraser."""

    s3: "S3Client"
    bucket: str

    def versions(self) -> Iterator[StoredVersion]:
        """See erase_ports.BatchEraser. One request for each 1,000 versions."""
        for key, version, is_latest in ObjectVersions(self.s3, self.bucket).list(PREFIX):
            yield StoredVersion(f"s3://{self.bucket}/{key}", version, None, replaceable=is_latest)

    def read(self, version: StoredVersion) -> TaggedBody | None:
        """See erase_ports.BatchEraser. One request."""
        stored = ObjectVersions(self.s3, self.bucket).get(self._key(version), version.version)
        return None if stored is None else TaggedBody(stored.body, stored.etag)

    def replace(self, version: StoredVersion, tag: str, body: bytes) -> bool:
        """See erase_ports.BatchEraser. Two requests, the put on condition that the object has this entity tag."""
        versions = ObjectVersions(self.s3, self.bucket)
        return versions.replace(self._key(version), version.version, tag, body, JSON, {})

    def remove(self, version: StoredVersion) -> None:
        """See erase_ports.BatchEraser. One request."""
        ObjectVersions(self.s3, self.bucket).remove(self._key(version), version.version)

    def _key(self, version: StoredVersion) -> str:
        return version.url.removeprefix(f"s3://{self.bucket}/")
