"""The whole record, for a `process` that takes two arguments, and the deletion that `process` may return."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.core.slice import Headers


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record. `key` is bytes, or what the pipeline's `key_codec` makes of them; `timestamp` is UTC.

    `timestamp` is None where Kafka's number is no time of the calendar. Headers may repeat a name.
    """

    topic: str
    partition: int
    offset: int
    timestamp: datetime | None
    key: Any
    headers: Headers

    def header(self, name: str) -> bytes | None:
        """Return the last value of a header; None if the record has none of that name."""
        return next((value for header, value in reversed(self.headers) if header == name), None)


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes the row of a key from the pipeline's tables, which must not have `newest_by`."""

    key: str | int | tuple[str | int, ...] | Mapping[str, str | int]
    """The value of the tables' key; several values, in the order of a composite key; or a mapping by field."""
