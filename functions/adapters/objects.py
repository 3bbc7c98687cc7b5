"""S3 objects that are written once and never change."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ATTEMPTS: Final = 4
WAIT: Final = 0.1  # seconds, doubled each time, jittered


@dataclass(frozen=True, slots=True)
class Objects:
    """A bucket. botocore adds and S3 checks a CRC of every body, S3 being the default of both."""

    s3: "S3Client"
    bucket: str

    def put(self, key: str, body: bytes, kind: str, metadata: Mapping[str, str]) -> bool:
        """Put the object only if there is none. False: there is one. `kind` is its MIME type.

        S3 answers 412 when there is one, and 409 while another put of the same key is under way: only then is it asked
        again, and Unavailable after that (AWS documentation, "Conditional writes").
        """
        with calling(f"s3://{self.bucket}/{key}"):
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    self.s3.put_object(
                        Bucket=self.bucket, Key=key, Body=body, ContentType=kind, Metadata=metadata, IfNoneMatch="*"
                    )
                except ClientError as error:
                    if code(error) == "PreconditionFailed":
                        return False
                    if code(error) != "ConditionalRequestConflict" or attempt == ATTEMPTS:
                        raise
                    time.sleep(WAIT * 2.0**attempt * random.random())  # noqa: S311 - jitter, not a secret
                else:
                    return True
        raise AssertionError  # the loop returns or raises

    def get(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        """The body and metadata, or None where there is no object. S3 reads what was written last, always."""
        with calling(f"s3://{self.bucket}/{key}"):
            try:
                found = self.s3.get_object(Bucket=self.bucket, Key=key)
                return found["Body"].read(), found["Metadata"]
            except ClientError as error:
                if code(error) == "NoSuchKey":
                    return None
                raise
