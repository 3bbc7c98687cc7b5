"""The on-failure destination: an S3 bucket."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.local.event_source import failure
from functions.local.event_source.failure import GivenUp
from functions.local.event_source.mapping import Mapping

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the batches of a mapping go that it gave up."""

    s3: "S3Client"
    bucket: str
    mapping: Mapping

    def put(self, given_up: GivenUp) -> None:
        """One object a batch; raises what boto3 raises."""
        mapping = self.mapping
        body = failure.body(given_up, mapping.function.arn, mapping.event_source_arn, mapping.bootstrap)
        self.s3.put_object(Bucket=self.bucket, Key=failure.key(given_up, mapping.id), Body=body)
