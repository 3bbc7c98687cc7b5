"""The event that Lambda's event source mapping for Amazon MSK delivers -> slices.

Source: AWS Lambda developer guide, "Using Lambda with Amazon MSK": `records` maps "topic-partition" to records with
base64 keys and values; header values are lists of signed bytes. `key` and `value` may be null or absent.
"""

from binascii import a2b_base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, Final, TypeVar

from functions.core.headers import capped
from functions.core.slice import Headers, Slice

Record = Mapping[str, Any]
Value = TypeVar("Value")
EVENT_SOURCES: Final = ("aws:kafka", "SelfManagedKafka")
INT64_LIMIT: Final = 2**63  # Kafka's integers are less than this


class RawHeaders(Sequence[Headers]):
    """The headers column, decoded on access, because most slices never read it."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int | slice) -> Any:  # noqa: ANN401 - the two overloads of Sequence
        if isinstance(index, slice):
            return RawHeaders(self._records[index])
        with _errors_named("headers"):
            return capped(
                [
                    (name, None if value is None else bytes(byte & 0xFF for byte in value))
                    for header in self._records[index].get("headers") or ()
                    for name, value in header.items()
                ]
            )


def parse(event: Mapping[str, Any]) -> tuple[list[Slice], list[ValueError]]:
    """Return a slice for each partition that has records, and an error for each whose records no mapping sends.

    Raises ValueError for an event that no mapping sends.
    """
    if not isinstance(event, Mapping):
        raise ValueError(f"expected an event of a Kafka event source mapping, got a {type(event).__name__}")  # noqa: TRY004
    if event.get("eventSource") not in EVENT_SOURCES or not isinstance(event.get("records"), Mapping):
        # Only names are shown, because the event's values may identify a person.
        got = f"eventSource {event.get('eventSource')!r} and fields {sorted(map(str, event))}"
        raise ValueError(f"expected an event of a Kafka event source mapping, got {got}")
    slices: list[Slice] = []
    errors: list[ValueError] = []
    for name, records in event["records"].items():
        try:
            with _errors_named(name):
                slices += [_slice(sorted(records, key=itemgetter("offset")))] if records else []
        except ValueError as error:
            errors.append(error)
    return slices, errors


def slices(event: Mapping[str, Any]) -> list[Slice]:
    """Return the slices of an event. Raises ValueError if any part of it is not what a mapping sends."""
    parsed, errors = parse(event)
    for error in errors:
        raise error
    return parsed


def _slice(records: list[Record]) -> Slice:
    offsets = [record["offset"] for record in records]
    return Slice(
        topic=_only(str, {record["topic"] for record in records}),
        partition=_only(int, set(_numbers(0, [record["partition"] for record in records]))),
        start=offsets[0],
        end=offsets[-1],
        offsets=_numbers(0, offsets),
        timestamps=_numbers(-INT64_LIMIT, [record.get("timestamp", -1) for record in records]),
        keys=[_bytes(record.get("key")) for record in records],
        values=[_bytes(record.get("value")) for record in records],
        headers=RawHeaders(records),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else a2b_base64(text, strict_mode=True)


def _only(expected_type: type[Value], distinct: set[Value]) -> Value:
    """Return the one value that all records share. Raises ValueError if there are several, TypeError if it is none."""
    (value,) = distinct
    if not isinstance(value, expected_type):
        raise TypeError(f"expected {expected_type.__name__}")
    return value


def _numbers(minimum: int, numbers: list[int]) -> list[int]:
    """Return a column of Kafka's 64-bit integers. Raises TypeError for any other value."""
    if set(map(type, numbers)) != {int} or min(numbers) < minimum or max(numbers) >= INT64_LIMIT:
        raise TypeError(f"expected integers of 64 bits from {minimum}")
    return numbers


@contextmanager
def _errors_named(name: str) -> Iterator[None]:
    """Turn any error in these records into one ValueError that names `name` and shows none of their content."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected records of a Kafka event source mapping: {type(error).__name__}") from error
