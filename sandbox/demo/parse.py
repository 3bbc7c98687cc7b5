"""Parsing what the stores hold, with readers that the pipeline does not use."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Final

from arro3.core import DataType
from arro3.io import read_parquet

from sandbox.demo.records import LoginRow, Place, StoredLetter, letter_of

FIELDS: Final = LoginRow._fields[:-1]
HEADER: Final = "tandem-source"  # logins/user-login/<partition>/<offset>/<row>


def parquet(body: bytes) -> Iterator[tuple[Place, LoginRow]]:
    """Return the place and row of each row in a Parquet object."""
    table = read_parquet(BytesIO(body)).read_all()
    columns = [table.column(name).to_pylist() for name in FIELDS]
    seconds = [
        microseconds // 1_000_000 for microseconds in table.column("logged_in_at").cast(DataType.int64()).to_pylist()
    ]
    places = zip(table.column("_partition").to_pylist(), table.column("_offset").to_pylist(), strict=True)
    return zip(places, map(LoginRow._make, zip(*columns, seconds, strict=True)), strict=True)


def letter(key: str, body: bytes) -> StoredLetter:
    """Parse the dead letter of one object."""
    place, reason = letter_of(key)
    record = json.loads(body)
    headers = tuple((name, None if value is None else b64decode(value)) for name, value in record["headers"])
    return StoredLetter(place, reason, _bytes(record["key"]), _bytes(record["value"]), headers)


def _bytes(field: dict[str, str] | None) -> bytes | None:
    return None if field is None else b64decode(field["base64"])


def parse_message(header: bytes, body: bytes) -> tuple[Place, LoginRow]:
    """Return the place in a message's header HEADER, and the row that is its value."""
    row = json.loads(body)
    logged_in_at = datetime.fromisoformat(row.pop("logged_in_at"))
    return parse_source(header), LoginRow(**row, at=int(logged_in_at.timestamp()))


def parse_source(source: bytes) -> Place:
    """Return the place in a message's header HEADER. ValueError unless it names the first row of a record of logins."""
    pipeline, _, partition, offset, row = source.split(b"/")
    if (pipeline, row) != (b"logins", b"0"):
        raise ValueError(f"expected the only row of a record of logins, got {source!r}")
    return int(partition), int(offset)
