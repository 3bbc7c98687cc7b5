"""Listing lake objects by their keys."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from functions.adapters.lake import key
from functions.adapters.objects import Objects
from functions.core.ports import Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class S3LakeListing:
    """See operator_ports.LakeListing. One request for each 1,000 objects of the partition and day."""

    s3: "S3Client"
    bucket: str

    def offsets(self, source: Source, day: date, first: int, last: int) -> list[int]:
        """See operator_ports.LakeListing."""
        prefix, suffix = key(source, day, 0).rsplit(f"{0:020d}", 1)
        names = (name for name, _ in Objects(self.s3, self.bucket).list(prefix))
        numbers = (name.removeprefix(prefix).removesuffix(suffix) for name in names)
        # The keys of partition 5 of a topic "t-3" also begin like those of partition 3 of "t".
        return [int(number) for number in numbers if number.isdecimal() and first <= int(number) <= last]
