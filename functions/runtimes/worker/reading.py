"""Reads from the client in chunks, and keeps of each record's headers what a dead letter may hold.

librdkafka expands the headers of all messages of one call, to about 70 bytes a header, and Python to 150 more: 1.5 KB
of a compressed batch may become 20 MB. So a call returns few messages, and headers are capped before the next one.
"""

from dataclasses import dataclass, field
from typing import Any, Final, cast

from confluent_kafka import Consumer, Message

from functions.core.headers import capped
from functions.core.slice import Headers

CHUNK_RECORDS: Final = 16  # in one call; a chunk of the largest headers that a record of 1 MB holds takes 400 MB
# Replaces headers that the client cannot read. Only dead letters use headers, so the record can still be settled.
UNREADABLE: Final[Headers] = [("tandem-unreadable-headers", None)]


@dataclass(slots=True)
class Batch:
    """What was read: records, and messages that report an error."""

    messages: list[Message] = field(default_factory=list)
    errors: list[Message] = field(default_factory=list)


def read(consumer: Consumer, max_records: int, seconds: float) -> Batch:
    """Return at most `max_records`, after waiting up to `seconds` for the first ones."""
    batch, wanted = Batch(), max_records
    while wanted > 0:
        size = min(wanted, CHUNK_RECORDS)
        chunk = consumer.consume(size, seconds)
        for message in chunk:
            if message.error() is None:
                _cap(message)
                batch.messages.append(message)
            else:
                batch.errors.append(message)
        if len(chunk) < size:
            break
        wanted, seconds = wanted - size, 0.0
    return batch


def _cap(message: Message) -> None:
    """Cap the headers. Read once only: for a name that is not UTF-8 the client raises SystemError, and garbage then."""
    try:
        headers = cast("Headers | None", message.headers())
    except SystemError:
        kept, headers = UNREADABLE, None
    else:
        kept = capped(headers or ())
    if kept is not headers and kept:
        message.set_headers(cast("list[Any]", kept))
