"""S3 objects that are written once and never change."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ATTEMPTS: Final = 4
WAIT_SECONDS: Final = 0.1  # doubled for each attempt, with jitter


class StoredObject(NamedTuple):
    """An object as S3 returns it; `etag` identifies this content at its key."""

    body: bytes
    metadata: Mapping[str, str]
    etag: str


@dataclass(frozen=True, slots=True)
class Objects:
    """A bucket. By default botocore adds a CRC to every body, and S3 verifies it."""

    s3: "S3Client"
    bucket: str

    def put(self, key: str, body: bytes, content_type: str, metadata: Mapping[str, str]) -> bool:
        """Put the object only if absent; return whether it was put. See put_if_absent."""
        request = put_request(self.bucket, key, body, content_type, metadata)
        put = partial(self.s3.put_object, **request)
        return put_if_absent(f"s3://{self.bucket}/{key}", put, put)

    def get(self, key: str) -> StoredObject | None:
        """Return the object, or None if there is none. S3's reads are strongly consistent."""
        with calling(f"s3://{self.bucket}/{key}"):
            try:
                response = self.s3.get_object(Bucket=self.bucket, Key=key)
                return StoredObject(response["Body"].read(), response["Metadata"], response.get("ETag", ""))
            except ClientError as error:
                if code(error) == "NoSuchKey":
                    return None
                raise

    def delete(self, key: str, etag: str) -> bool:
        """Delete the object if it is still the one with this entity tag, or is not there; return whether it is gone.

        A bucket with versions keeps it as an old version (AWS documentation, "How to perform conditional deletes").
        """
        with calling(f"s3://{self.bucket}/{key}"):
            try:
                self.s3.delete_object(Bucket=self.bucket, Key=key, IfMatch=etag)
            except ClientError as error:
                if code(error) == "PreconditionFailed":
                    return False
                if code(error) != "NoSuchKey":
                    raise
        return True

    def list(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Return (key, time of the last write) of the objects whose keys begin with `prefix`: 1,000 a request."""
        for page in self._pages(Prefix=prefix):
            yield from ((entry["Key"], entry["LastModified"]) for entry in page.get("Contents", ()))

    def folders(self, prefix: str) -> Iterator[str]:
        """Return what the keys that begin with `prefix` have up to the next slash, that included, each once."""
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            yield from (entry["Prefix"] for entry in page.get("CommonPrefixes", ()))

    def _pages(self, **parameters: Any) -> Iterator[Any]:  # noqa: ANN401 - S3's own parameters
        with calling(f"s3://{self.bucket}"):
            yield from self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **parameters)


def put_request(bucket: str, key: str, body: bytes, content_type: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters of a PutObject that fails if the object exists."""
    return {
        "Bucket": bucket, "Key": key, "Body": body, "ContentType": content_type, "Metadata": metadata,
        "IfNoneMatch": "*",
    }  # fmt: skip


def put_if_absent(resource: str, put: Callable[[], object], again: Callable[[], object]) -> bool:
    """Return whether `put`, the call of a put_request, put its object; `again` repeats it.

    S3 responds with 412 if the object exists, and with 409 during another put of the same key. Only 409 is retried, up
    to ATTEMPTS, and then raises Unavailable (AWS documentation, "Conditional writes").
    """
    with calling(resource):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                (put if attempt == 1 else again)()
            except ClientError as error:
                if code(error) == "PreconditionFailed":
                    return False
                if code(error) != "ConditionalRequestConflict" or attempt == ATTEMPTS:
                    raise
                time.sleep(WAIT_SECONDS * 2.0**attempt * random.random())  # noqa: S311 - jitter, not a secret
            else:
                return True
    raise AssertionError  # the loop returns or raises
