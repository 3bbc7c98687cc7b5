"""The versions of S3 objects: what a bucket keeps of objects that were replaced or deleted.

In a bucket without versions each object has one, with the ID "null" (AWS documentation, "Working with versions").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code
from functions.adapters.objects import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UNVERSIONED: Final = "null"
ABSENT: Final = ("NoSuchKey", "NoSuchVersion")


class ListedVersion(NamedTuple):
    """A version in a listing; `is_latest`: whether it is the object that a request without a version gets."""

    key: str
    version: str
    is_latest: bool


@dataclass(frozen=True, slots=True)
class ObjectVersions:
    """A bucket, with or without versions."""

    s3: "S3Client"
    bucket: str

    def list(self, prefix: str) -> Iterator[ListedVersion]:
        """Return the versions of objects whose keys begin with `prefix`, 1,000 a request, without marks of deletion."""
        with calling(f"s3://{self.bucket}"):
            pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
            for page in pages:
                for entry in page.get("Versions", ()):
                    yield ListedVersion(entry["Key"], entry["VersionId"], entry["IsLatest"])

    def get(self, key: str, version: str) -> StoredObject | None:
        """Return a version of an object, or None if there is none."""
        with calling(f"s3://{self.bucket}/{key}"):
            try:
                response = self.s3.get_object(Bucket=self.bucket, Key=key, VersionId=version)
                return StoredObject(response["Body"].read(), response["Metadata"], response["ETag"])
            except ClientError as error:
                if code(error) in ABSENT:
                    return None
                raise

    def replace(  # noqa: PLR0913, PLR0917 - what an object consists of
        self, key: str, version: str, etag: str, body: bytes, content_type: str, metadata: Mapping[str, str]
    ) -> bool:
        """Replace the latest version, if it has this entity tag, and remove it; return whether it was replaced.

        The put is conditional (AWS documentation, "Conditional writes"): 412 and 404 mean that it is another object by
        now, or gone. If the call ends in between, the version is an old one that is listed.
        """
        with calling(f"s3://{self.bucket}/{key}"):
            try:
                response = self.s3.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    Metadata=metadata,
                    IfMatch=etag,
                )
            except ClientError as error:
                if code(error) in {"PreconditionFailed", *ABSENT}:
                    return False
                raise
        if response.get("VersionId", UNVERSIONED) != version:  # otherwise the put has overwritten it
            self.remove(key, version)
        return True

    def remove(self, key: str, version: str) -> None:
        """Remove a version for good. A version that does not exist is removed already."""
        with calling(f"s3://{self.bucket}/{key}"):
            try:
                self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version)
            except ClientError as error:
                if code(error) not in ABSENT:
                    raise
