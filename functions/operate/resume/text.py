"""What a resumption means, as text."""

from functions.core.operator_ports import LogBounds
from functions.core.ports import StopReason
from functions.operate.formatting import kafka_time, labelled
from functions.operate.stops import StoppedPartition

ENDED = "the stop is ended. A function continues with its next batch, a worker after a restart of its pod"


def meaning(stopped: StoppedPartition, bounds: LogBounds | None) -> str:
    """Return what will happen once the partition is resumed. `bounds` are those of the log; None if unknown."""
    number = stopped.source.partition
    match stopped.stop.reason:
        case StopReason.FLOOD:
            lines = [
                f"rejects up to offset {stopped.stop.last} will become dead letters, whatever their share is",
                "after that offset the flood limit applies again, and counts from zero",
            ]
        case StopReason.OFFSETS_WENT_BACK:
            lines = _went_back(stopped, bounds)
        case StopReason.CORRUPT:
            lines = [
                f"the object at offset {stopped.position.next} is read again: resume after a release that can read it",
                f"or set it aside first: tandem quarantine {number}",
            ]
    return labelled([("then", lines[0]), *(("", line) for line in lines[1:])])


def _went_back(stopped: StoppedPartition, bounds: LogBounds | None) -> list[str]:
    next_, number = stopped.position.next, stopped.source.partition
    newest = kafka_time(max(stopped.stop.newest, stopped.position.newest))
    lines = [f"records below offset {next_} count as settled, up to those of {newest}: none becomes a row"]
    if bounds is not None:
        first = min(bounds.low, next_)
        lines.append(f"the log holds [{bounds.low}, {bounds.high}): {min(bounds.high, next_) - first:,} offsets of it")
    return [*lines, f"to settle them, rewind instead, which also ends the stop: tandem rewind {number} --to OFFSET"]
