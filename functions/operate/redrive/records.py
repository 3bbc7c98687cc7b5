"""The records that a redrive sends, wherever they are kept."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from functions.core.record_place import RecordPlace
from functions.core.slice import Headers


class LostRecord(NamedTuple):
    """A record that was not settled as rows, as it was in the source topic."""

    place: RecordPlace
    key: bytes | None
    value: bytes | None
    headers: Headers


class SkippedRecord(NamedTuple):
    """A record that is not sent, and why. Its letter, or its batch, stays as it is."""

    place: RecordPlace
    why: str


class LostRecords(Protocol):
    """A store of lost records."""

    def places(self) -> Iterator[RecordPlace]:
        """Return the places of all its records. A place may come twice."""

    def read(self, places: Sequence[RecordPlace]) -> list[LostRecord | SkippedRecord]:
        """Return the records of these places, in this order."""
