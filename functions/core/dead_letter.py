"""A dead letter: a record that can never succeed as it is, whole, with the reason."""

from dataclasses import dataclass
from enum import Enum

from functions.core.slice import Headers, Slice


class Reason(Enum):
    """Why a record was rejected: few and fixed, for keys, metrics and alarms; the detail is free text."""

    UNDECODABLE = "undecodable"  # its bytes are not JSON
    INVALID = "invalid"  # JSON, but not the event model
    REJECTED = "rejected"  # `process` raised Reject
    FAILED = "failed"  # `process` raised anything else
    UNSTORABLE = "unstorable"  # no sink can hold the row, such as an int beyond 64 bits
    TOMBSTONE = "tombstone"  # no value, where the pipeline takes none


@dataclass(frozen=True, slots=True)
class Rejection:
    """Record number `index` of a slice, and why."""

    index: int
    reason: Reason
    detail: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is stored. (pipeline, topic, partition, offset) identify it; `timestamp` is Kafka's, in milliseconds."""

    pipeline: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: Reason
    detail: str
    traceback: str


def dead_letter(pipeline: str, part: Slice, rejection: Rejection) -> DeadLetter:
    """The whole record behind a rejection."""
    index = rejection.index
    return DeadLetter(
        pipeline, part.topic, part.partition, part.offsets[index], part.timestamps[index], part.keys[index],
        part.values[index], part.headers[index], rejection.reason, rejection.detail, rejection.traceback,
    )  # fmt: skip
