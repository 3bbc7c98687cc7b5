"""The event that Lambda's event source mapping for Amazon MSK delivers -> slices.

Source: AWS Lambda developer guide, "Using Lambda with Amazon MSK": `records` maps "topic-partition" to records with
base64 keys and values; header values are lists of signed bytes. `key` and `value` may be null or absent.
"""

from binascii import a2b_base64
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from functions.core.slice import Headers, Slice

Record = Mapping[str, Any]
SOURCES: Final = ("aws:kafka", "SelfManagedKafka")


class RawHeaders(Sequence[Headers]):
    """The headers column, decoded only when asked for: most slices never look."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int | slice) -> Any:  # noqa: ANN401 - the two overloads of Sequence
        if isinstance(index, slice):
            return RawHeaders(self._records[index])
        return [
            (name, None if value is None else bytes(byte & 0xFF for byte in value))
            for header in self._records[index].get("headers") or ()
            for name, value in header.items()
        ]


def slices(event: Mapping[str, Any]) -> Iterator[Slice]:
    """One slice for each partition that has records. Raises ValueError for an event that no mapping sends."""
    if event.get("eventSource") not in SOURCES or not isinstance(event.get("records"), Mapping):
        # Only names are told: whatever else the event holds may identify a person.
        got = f"eventSource {event.get('eventSource')!r} and fields {sorted(map(str, event))}"
        raise ValueError(f"takes an event of a Kafka event source mapping, got {got}")
    for records in event["records"].values():
        if records:
            yield _slice(sorted(records, key=itemgetter("offset")))


def _slice(records: list[Record]) -> Slice:
    offsets = [record["offset"] for record in records]
    return Slice(
        topic=records[0]["topic"],
        partition=records[0]["partition"],
        start=offsets[0],
        end=offsets[-1],
        offsets=offsets,
        timestamps=[record.get("timestamp", -1) for record in records],
        keys=[_bytes(record.get("key")) for record in records],
        values=[_bytes(record.get("value")) for record in records],
        headers=RawHeaders(records),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else a2b_base64(text)
