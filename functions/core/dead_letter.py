"""A dead letter: the whole record that can never succeed as it is, and the reason."""

from dataclasses import dataclass
from enum import Enum

from functions.core.slice import Headers, Slice


class Reason(Enum):
    """Why a record was rejected. A fixed set, because keys, metrics and alarms use it; the detail is free text."""

    UNDECODABLE = "undecodable"  # its bytes are not what the codec decodes, JSON unless declared otherwise
    INVALID = "invalid"  # decoded, but not the event model
    REJECTED = "rejected"  # `process` raised Reject
    FAILED = "failed"  # `process` raised anything else
    UNSTORABLE = "unstorable"  # a sink cannot hold the row, such as an int beyond 64 bits
    TOMBSTONE = "tombstone"  # no value, where the pipeline expects one
    LETHAL = "lethal"  # attempts at this record alone ended with their process
    REFUSED = "refused"  # a sink refused the row; the slice's other effects are not affected


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason why record number `index` of a slice was rejected."""

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


def dead_letter(pipeline: str, slice_: Slice, rejection: Rejection) -> DeadLetter:
    """Return the dead letter of a rejection: the record of the slice at its index, with its reason."""
    index = rejection.index
    return DeadLetter(
        pipeline, slice_.topic, slice_.partition, slice_.offsets[index], slice_.timestamps[index], slice_.keys[index],
        slice_.values[index], slice_.headers[index], rejection.reason, rejection.detail, rejection.traceback,
    )  # fmt: skip
