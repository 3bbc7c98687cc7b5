"""The event that Lambda's event source mapping for Amazon MSK delivers -> slices.

Source: AWS Lambda developer guide, "Using Lambda with Amazon MSK": `records` maps "topic-partition" to records with
base64 keys and values; header values are lists of signed bytes. `key` and `value` may be null or absent.
"""

from binascii import a2b_base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, Final, TypeVar

from functions.core.slice import Headers, Slice

Record = Mapping[str, Any]
Only = TypeVar("Only")
SOURCES: Final = ("aws:kafka", "SelfManagedKafka")
BEYOND: Final = 2**63  # Kafka's integers


class RawHeaders(Sequence[Headers]):
    """The headers column, decoded only when asked for: most slices never look."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int | slice) -> Any:  # noqa: ANN401 - the two overloads of Sequence
        if isinstance(index, slice):
            return RawHeaders(self._records[index])
        with _named("headers"):
            return [
                (name, None if value is None else bytes(byte & 0xFF for byte in value))
                for header in self._records[index].get("headers") or ()
                for name, value in header.items()
            ]


def slices(event: Mapping[str, Any]) -> Iterator[Slice]:
    """One slice for each partition that has records. Raises ValueError for an event that no mapping sends."""
    if not isinstance(event, Mapping):
        raise ValueError(f"takes an event of a Kafka event source mapping, got a {type(event).__name__}")  # noqa: TRY004
    if event.get("eventSource") not in SOURCES or not isinstance(event.get("records"), Mapping):
        # Only names are told: whatever else the event holds may identify a person.
        got = f"eventSource {event.get('eventSource')!r} and fields {sorted(map(str, event))}"
        raise ValueError(f"takes an event of a Kafka event source mapping, got {got}")
    for name, records in event["records"].items():
        if records:
            with _named(name):
                part = _slice(sorted(records, key=itemgetter("offset")))
            yield part


def _slice(records: list[Record]) -> Slice:
    offsets = [record["offset"] for record in records]
    return Slice(
        topic=_one(str, {record["topic"] for record in records}),
        partition=_one(int, set(_numbers(0, [record["partition"] for record in records]))),
        start=offsets[0],
        end=offsets[-1],
        offsets=_numbers(0, offsets),
        timestamps=_numbers(-BEYOND, [record.get("timestamp", -1) for record in records]),
        keys=[_bytes(record.get("key")) for record in records],
        values=[_bytes(record.get("value")) for record in records],
        headers=RawHeaders(records),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else a2b_base64(text, strict_mode=True)


def _one(kind: type[Only], values: set[Only]) -> Only:
    """What all records of a run have in common."""
    (value,) = values
    if not isinstance(value, kind):
        raise TypeError(f"takes {kind.__name__}")
    return value


def _numbers(least: int, values: list[int]) -> list[int]:
    """A column of Kafka's 64-bit integers."""
    if set(map(type, values)) != {int} or min(values) < least or max(values) >= BEYOND:
        raise TypeError(f"takes integers of 64 bits from {least}")
    return values


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Whatever is wrong with these records: one clear error that tells none of what they hold."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: takes records of a Kafka event source mapping: {type(error).__name__}") from error
