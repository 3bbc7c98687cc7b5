"""Ending a partition's durable stop, on condition that it is the one that the operator was shown."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.core.errors import Refused, Unavailable
from functions.core.operator_ports import LogBounds
from functions.core.ports import StopReason
from functions.core.stops import resumed
from functions.operate.context import OperatorContext
from functions.operate.formatting import labelled
from functions.operate.resume.text import ENDED, meaning
from functions.operate.stops import StoppedPartition, expect, since, stop_lines, stopped_partition


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """What the operator asked for. `expected`: when the stop began that they saw, as `since` returns it."""

    partition: int
    expected: str | None = None
    execute: bool = False


def run(context: OperatorContext, request: ResumeRequest, say: Callable[[str], None]) -> StoppedPartition:
    """Show the stop and what will happen, then how to end it, or end it. Refused if it is another stop, or none."""
    stopped = stopped_partition(context, request.partition)
    say(labelled(stop_lines(stopped, context)))
    expect(stopped.stop, request.expected)
    say(meaning(stopped, _bounds(context, stopped)))
    if not request.execute:
        say(f"to end the stop: tandem resume {request.partition} --since {since(stopped.stop)} --execute")
        return stopped
    if not context.repair.resume(stopped.source, stopped.stop, resumed(stopped.position, stopped.stop)):
        raise Refused(f"{stopped.source} is not in that stop any more: another operator was faster, nothing was done")
    say(ENDED)
    return stopped


def _bounds(context: OperatorContext, stopped: StoppedPartition) -> LogBounds | None:
    """Return the bounds of the log where they matter, if the brokers answer."""
    if stopped.stop.reason is not StopReason.OFFSETS_WENT_BACK:
        return None
    source = stopped.source
    try:
        return context.brokers.bounds(source.topic, [source.partition])[source.partition]
    except (Unavailable, Refused):
        return None
