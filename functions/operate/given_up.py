"""Records of batches that Lambda's event source mapping gave up on, from the objects that it left in S3.

Source: AWS Lambda developer guide, "Capturing discarded batches for Amazon MSK and self-managed Apache Kafka event
sources": `payload` holds the event as a JSON string. Key names are documented for streams only, so keys are not read
for what they say; they are taken to begin with `aws/lambda/`, as there.

Law: only offsets in a recorded gap count. All others were settled after all, by another try or the other runtime.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from functions.adapters.aws_errors import calling
from functions.adapters.objects import Objects
from functions.core.ports import Gap
from functions.core.slice import Slice
from functions.operate.place import Place
from functions.operate.records import Lost
from functions.runtimes.msk.event import slices

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX: Final = "aws/lambda/"


@dataclass(slots=True)
class GivenUp:
    """The objects in `bucket`. `gaps` are those of each partition of `topic`, in order."""

    s3: "S3Client"
    bucket: str
    topic: str
    gaps: Mapping[int, Sequence[Gap]]
    keys: dict[Place, str] = field(default_factory=dict)  # where each record was found
    unreadable: list[str] = field(default_factory=list)  # keys of objects that hold no event

    def places(self) -> Iterator[Place]:
        """See records.Source. Reads every object, keeps none."""
        for key in self._keys():
            for record in self._records(key):
                if self._in_gap(record.place):
                    self.keys[record.place] = key
                    yield record.place

    def read(self, places: Sequence[Place]) -> list[Lost]:
        """See records.Source. Each object once for all of its records."""
        wanted = set(places)
        found: dict[Place, Lost] = {}
        for key in dict.fromkeys(self.keys[place] for place in places):
            found |= {record.place: record for record in self._records(key) if record.place in wanted}
        return [found[place] for place in places]

    def _in_gap(self, place: Place) -> bool:
        gaps = self.gaps.get(place.partition, ())
        at = bisect_right(gaps, place.offset, key=lambda gap: gap.first)
        return place.topic == self.topic and at > 0 and place.offset <= gaps[at - 1].last

    def _keys(self) -> Iterator[str]:
        with calling(f"s3://{self.bucket}"):
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=PREFIX):
                yield from (entry["Key"] for entry in page.get("Contents", ()))

    def _records(self, key: str) -> Iterator[Lost]:
        body = Objects(self.s3, self.bucket).get(key)
        try:
            parts = list(slices(_event(body[0] if body else b"")))
        except (ValueError, KeyError, TypeError, AttributeError):
            self.unreadable.append(key)
            return
        for part in parts:
            yield from _lost(part)


def _event(body: bytes) -> Any:  # noqa: ANN401 - any JSON; `slices` looks at it
    payload = json.loads(body)["payload"]
    return json.loads(payload) if isinstance(payload, str) else payload  # a Kafka destination has it as an object


def _lost(part: Slice) -> Iterator[Lost]:
    columns = zip(part.offsets, part.keys, part.values, part.headers, strict=True)
    for offset, key, value, headers in columns:
        yield Lost(Place(part.topic, part.partition, offset), key, value, headers)
