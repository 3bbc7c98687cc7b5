"""confluent-kafka messages -> columns, a run of one partition at a time; no Python code per record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, cast

from confluent_kafka import Message

from functions.core.slice import Headers

# What a record takes in memory besides its bytes: objects and list slots, rounded up.
OVERHEAD_BYTES: Final = 200
# In place of headers that the client cannot read: they are for the dead letter alone, so no reason to stop the record.
UNREADABLE: Final[Headers] = (("tandem-unreadable-headers", None),)


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in offset order; `size` is the memory they take, in bytes."""

    partition: int
    offsets: list[int]
    timestamps: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    headers: list[Headers]
    size: int


def runs(messages: Sequence[Message]) -> Iterator[Run]:
    """The messages of one `consume` call, which holds no errors, as runs."""
    for partition, group in groupby(messages, key=Message.partition):
        run = list(group)
        keys, values = list(map(Message.key, run)), list(map(Message.value, run))
        yield Run(
            partition=cast("int", partition),  # an error alone has none
            offsets=cast("list[int]", list(map(Message.offset, run))),
            timestamps=[time for _, time in map(Message.timestamp, run)],
            keys=keys,
            values=values,
            headers=_headers(run),
            size=sum(map(len, filter(None, values))) + sum(map(len, filter(None, keys))) + OVERHEAD_BYTES * len(run),
        )


def _headers(run: list[Message]) -> list[Headers]:
    """Of a name that is not UTF-8 the client makes a SystemError, and garbage when it is asked again: never do that."""
    column: list[Headers] = []
    asked = map(Message.headers, run)  # goes on behind the one that failed
    while len(column) < len(run):
        try:
            column.extend(cast("Headers", headers or ()) for headers in asked)
        except SystemError:
            column.append(UNREADABLE)
    return column
