"""The on-failure destination: an S3 bucket."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.event_source import discarded
from sandbox.event_source.discarded import DiscardedBatch
from sandbox.event_source.mapping import EventSourceMapping

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Destination:
    """Stores the batches that a mapping gave up."""

    s3: "S3Client"
    bucket: str
    mapping: EventSourceMapping

    def put(self, batch: DiscardedBatch) -> None:
        """Write one object per batch; raises what boto3 raises."""
        mapping = self.mapping
        body = discarded.body(batch, mapping.function.arn, mapping.event_source_arn, mapping.bootstrap)
        self.s3.put_object(Bucket=self.bucket, Key=discarded.key(batch, mapping.id), Body=body)
