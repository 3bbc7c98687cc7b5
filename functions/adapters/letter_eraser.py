"""Erasing dead letters, with all of their versions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.adapters.letter_json import parse
from functions.adapters.letter_key import parse_letter_key, prefix
from functions.adapters.object_versions import ObjectVersions
from functions.core.dead_letter import DeadLetter
from functions.core.erase_ports import StoredVersion
from functions.core.errors import Corrupt
from functions.core.record_place import RecordPlace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class S3LetterEraser:
    """See erase_ports.LetterEraser."""

    s3: "S3Client"
    bucket: str
    pipeline: str

    def versions(self) -> Iterator[StoredVersion]:
        """See erase_ports.LetterEraser. One request for each 1,000 versions."""
        for key, version, _ in ObjectVersions(self.s3, self.bucket).list(prefix(self.pipeline)):
            yield StoredVersion(f"s3://{self.bucket}/{key}", version, _place(key))

    def read(self, version: StoredVersion) -> DeadLetter | None:
        """See erase_ports.LetterEraser. One request."""
        stored = ObjectVersions(self.s3, self.bucket).get(self._key(version), version.version)
        try:
            return None if stored is None else parse(stored.body)
        except Corrupt as error:
            raise Corrupt(f"{version.url}: {error}") from None

    def remove(self, version: StoredVersion) -> None:
        """See erase_ports.LetterEraser. One request."""
        ObjectVersions(self.s3, self.bucket).remove(self._key(version), version.version)

    def _key(self, version: StoredVersion) -> str:
        return version.url.removeprefix(f"s3://{self.bucket}/")


def _place(key: str) -> RecordPlace | None:
    try:
        return parse_letter_key(key).place
    except Corrupt:
        return None
