"""Converts confluent-kafka messages to columns, one run of a partition at a time; no Python code runs per record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, cast

from confluent_kafka import Message

from functions.core.headers import header_bytes
from functions.core.slice import Headers

# A record's memory in addition to its bytes: objects and list slots, rounded up.
OVERHEAD_BYTES: Final = 200
HEADER_OVERHEAD_BYTES: Final = 200  # the same of a header: a tuple, a text and a bytes object


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in offset order; `size` is their memory in bytes."""

    topic: str
    partition: int
    offsets: list[int]
    timestamps: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    headers: list[Headers]
    size: int


def runs(messages: Sequence[Message]) -> Iterator[Run]:
    """Yield the runs of messages, none of which is an error, with headers as `reading` has capped them."""
    for partition, of_partition in groupby(messages, key=Message.partition):
        run = list(of_partition)
        if len(set(map(Message.topic, run))) == 1:
            yield _run(cast("int", partition), run)  # only an error has no partition
        else:
            for _, of_topic in groupby(run, key=Message.topic):
                yield _run(cast("int", partition), list(of_topic))


def _run(partition: int, run: list[Message]) -> Run:
    keys, values = list(map(Message.key, run)), list(map(Message.value, run))
    headers = [headers or () for headers in map(Message.headers, run)]
    size = sum(map(len, filter(None, values))) + sum(map(len, filter(None, keys))) + OVERHEAD_BYTES * len(run)
    return Run(
        topic=cast("str", run[0].topic()),
        partition=partition,
        offsets=cast("list[int]", list(map(Message.offset, run))),
        timestamps=[time for _, time in map(Message.timestamp, run)],
        keys=keys,
        values=values,
        headers=cast("list[Headers]", headers),
        size=size + sum(map(_memory, cast("Iterator[Headers]", filter(None, headers)))),
    )


def _memory(headers: Headers) -> int:
    return header_bytes(headers) + HEADER_OVERHEAD_BYTES * len(headers)
