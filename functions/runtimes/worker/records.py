"""confluent-kafka messages -> columns, a run of one partition at a time; no Python code per record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, cast

from confluent_kafka import Message

from functions.core.slice import Headers

# What a record takes in memory besides its bytes: objects and list slots, rounded up.
OVERHEAD_BYTES: Final = 200


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
            headers=[cast("Headers", headers or ()) for headers in map(Message.headers, run)],
            size=sum(map(len, filter(None, values))) + sum(map(len, filter(None, keys))) + OVERHEAD_BYTES * len(run),
        )
