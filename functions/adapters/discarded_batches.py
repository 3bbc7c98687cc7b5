"""The objects that Lambda's event source mapping leaves in S3 for batches that it gave up on.

Source: AWS Lambda developer guide, "Capturing discarded batches for Amazon MSK and self-managed Apache Kafka event
sources". Key names are documented for streams only: this assumes their prefix, and nothing else of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from functions.adapters.objects import Objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX: Final = "aws/lambda/"


@dataclass(frozen=True, slots=True)
class S3DiscardedBatches:
    """See operator_ports.DiscardedBatches."""

    s3: "S3Client"
    bucket: str

    def keys(self) -> Iterator[str]:
        """See operator_ports.DiscardedBatches."""
        return (key for key, _ in Objects(self.s3, self.bucket).list(PREFIX))

    def read(self, key: str) -> bytes:
        """See operator_ports.DiscardedBatches."""
        found = Objects(self.s3, self.bucket).get(key)
        return found[0] if found else b""
