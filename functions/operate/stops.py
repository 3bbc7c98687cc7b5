"""A partition's durable stop, for the verbs that show and end it."""

from datetime import timedelta
from typing import Any, NamedTuple

from functions.core.effects import EPOCH
from functions.core.errors import Refused
from functions.core.ports import DurableStop, Position, Source
from functions.operate.context import OperatorContext
from functions.operate.formatting import duration


class StoppedPartition(NamedTuple):
    """A partition, its position, and the stop that the position holds."""

    source: Source
    position: Position
    stop: DurableStop

    def as_dict(self) -> dict[str, Any]:
        """Return the stop for JSON."""
        stop = self.stop
        return {
            "topic": self.source.topic, "partition": self.source.partition, "reason": stop.reason.value,
            "since": since(stop), "detail": stop.detail, "first": stop.first, "last": stop.last,
            "next": self.position.next, "step": self.position.step,
        }  # fmt: skip


def stopped_partition(context: OperatorContext, partition: int) -> StoppedPartition:
    """Read a partition's stop. Refused if it is not stopped."""
    source = Source(context.pipeline.name, context.pipeline.topic, partition)
    position = context.ledger.read(source)
    if position is None:
        raise Refused(f"the ledger knows no partition {partition} of {source.topic}")
    if position.stop is None:
        raise Refused(f"{source} is not stopped: tandem status shows the partitions that are")
    return StoppedPartition(source, position, position.stop)


def since(stop: DurableStop) -> str:
    """Return when a partition was stopped, to the millisecond, in UTC: operators name a stop by it."""
    time = EPOCH + timedelta(milliseconds=stop.at)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{stop.at % 1000:03}Z"


def stop_lines(stopped: StoppedPartition, context: OperatorContext) -> list[tuple[str, str]]:
    """Return the stop as labelled lines."""
    stop, position = stopped.stop, stopped.position
    age = duration(context.now().timestamp() - stop.at / 1000)
    return [
        ("stop", f"{stop.reason.value}, since {since(stop)} ({age} ago), at the slice [{stop.first}, {stop.last}]"),
        ("detail", stop.detail),
        ("ledger", f"next {position.next}; step {position.step}"),
    ]


def expect(stop: DurableStop, expected: str | None) -> None:
    """Refused if the stop is not the one that the operator was shown, which they name by its time."""
    if expected is not None and expected != since(stop):
        raise Refused(f"the partition is stopped since {since(stop)}, not {expected} as in --since: nothing was done")
