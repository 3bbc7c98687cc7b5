"""Lost records in the batches that Lambda's event source mapping gave up on.

Source: AWS Lambda developer guide, "Capturing discarded batches for Amazon MSK and self-managed Apache Kafka event
sources": `payload` holds the event, as a JSON string in S3 and as an object in a Kafka topic.

Law: only offsets in a recorded gap count. All others were settled, by another attempt or by the other runtime.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.core.intent import Gap
from functions.core.operator_ports import DiscardedBatches
from functions.core.record_place import RecordPlace
from functions.core.slice import Slice
from functions.operate.redrive.records import LostRecord, SkippedRecord
from functions.runtimes.msk.event import slices


@dataclass(slots=True)
class GivenUpRecords:
    """See LostRecords. `gaps` are those of each partition of `topic`, in order."""

    batches: DiscardedBatches
    topic: str
    gaps: Mapping[int, Sequence[Gap]]
    keys: dict[RecordPlace, str] = field(default_factory=dict)  # the object that holds each record
    unreadable: list[str] = field(default_factory=list)  # keys of objects that contain no event

    def places(self) -> Iterator[RecordPlace]:
        """See LostRecords. Reads every object and keeps none in memory."""
        for key in self.batches.keys():  # noqa: SIM118 - a port, not a mapping
            for record in self._records(key):
                if self._in_gap(record.place):
                    self.keys[record.place] = key
                    yield record.place

    def read(self, places: Sequence[RecordPlace]) -> list[LostRecord | SkippedRecord]:
        """See LostRecords. Reads each object once for all of its records."""
        wanted = set(places)
        records: dict[RecordPlace, LostRecord] = {}
        for key in dict.fromkeys(self.keys[place] for place in places):
            records |= {record.place: record for record in self._records(key) if record.place in wanted}
        return [records[place] for place in places]

    def _in_gap(self, place: RecordPlace) -> bool:
        gaps = self.gaps.get(place.partition, ())
        index = bisect_right(gaps, place.offset, key=lambda gap: gap.first)
        return place.topic == self.topic and index > 0 and place.offset <= gaps[index - 1].last

    def _records(self, key: str) -> Iterator[LostRecord]:
        try:
            batch = list(slices(_event(self.batches.read(key))))
        except (ValueError, KeyError, TypeError, AttributeError):
            self.unreadable.append(key)
            return
        for slice_ in batch:
            yield from _records_of(slice_)


def _event(body: bytes) -> Any:  # noqa: ANN401 - any JSON; `slices` validates it
    payload = json.loads(body)["payload"]
    return json.loads(payload) if isinstance(payload, str) else payload


def _records_of(slice_: Slice) -> Iterator[LostRecord]:
    columns = zip(slice_.offsets, slice_.keys, slice_.values, slice_.headers, strict=True)
    for offset, key, value, headers in columns:
        yield LostRecord(RecordPlace(slice_.topic, slice_.partition, offset), key, value, headers)
