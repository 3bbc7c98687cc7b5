"""Setting the lake object aside that a partition is stopped by.

The order: fence, copy, verify the copy, subtract counts, delete. Each step is harmless when it is repeated, so after a
crash anywhere in between the verb is run again. The stop stands until it is resumed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from functions.core.errors import Refused
from functions.core.operator_ports import LakeObject
from functions.core.ports import Position
from functions.operate.context import OperatorContext
from functions.operate.formatting import counted, labelled
from functions.operate.quarantine.rules import QuarantineSnapshot, refusal
from functions.operate.stops import StoppedPartition, expect, since, stop_lines, stopped_partition


@dataclass(frozen=True, slots=True)
class QuarantineRequest:
    """What the operator asked for. `expected`: when the stop began that they saw, as `since` returns it."""

    partition: int
    expected: str | None = None
    execute: bool = False


@dataclass(frozen=True, slots=True)
class QuarantineResult:
    """The stop, the address of its object, and that of the copy; None for what does not exist."""

    stopped: StoppedPartition
    object_url: str | None
    copy_url: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return the result for JSON."""
        return self.stopped.as_dict() | {"object": self.object_url, "set_aside_as": self.copy_url}


def run(context: OperatorContext, request: QuarantineRequest, say: Callable[[str], None]) -> QuarantineResult:
    """Show the stop and its object, then how to set it aside, or set it aside. Refused where it must not be."""
    snapshot = inspect(context, request.partition)
    stopped, object_ = snapshot.stopped, snapshot.object_
    say(labelled(stop_lines(stopped, context)))
    expect(stopped.stop, request.expected)
    if snapshot.is_done:
        say(f"the object was set aside before, as {snapshot.copies[-1]}")
        say(f"to continue: tandem resume {request.partition}")
        return QuarantineResult(stopped, None, snapshot.copies[-1])
    why = refusal(snapshot)
    if why or object_ is None:
        raise Refused(why or f"{stopped.source}: there is no object")
    say(_plan(stopped, object_))
    if not request.execute:
        say(f"to set it aside: tandem quarantine {request.partition} --since {since(stopped.stop)} --execute")
        return QuarantineResult(stopped, object_.url, None)
    copy = apply(context, stopped, object_)
    say(f"set aside as {copy}")
    say(f"to continue: tandem resume {request.partition}")
    return QuarantineResult(stopped, object_.url, copy)


def inspect(context: OperatorContext, partition: int) -> QuarantineSnapshot:
    """Read the stop and the object at the ledger's offset. Refused if the partition is not stopped."""
    stopped = stopped_partition(context, partition)
    source, position = stopped.source, stopped.position
    if position.day is None:
        return QuarantineSnapshot(stopped, None, ())
    place = (source, position.day, position.next)
    return QuarantineSnapshot(stopped, context.quarantine.read(*place), tuple(context.quarantine.copies(*place)))


def _plan(stopped: StoppedPartition, object_: LakeObject) -> str:
    step = stopped.position.step
    subtract = f"; the counts of {counted(step, 'transaction')} are subtracted first" if step else ""
    return labelled([
        ("object", f"{object_.url}, {counted(len(object_.content), 'byte')}"),
        ("then", f"it is copied to the dead letter bucket and deleted from the lake{subtract}"),
        ("", "after a resume its records are read and evaluated anew: resume before the topic's retention ends"),
    ])  # fmt: skip


def apply(context: OperatorContext, stopped: StoppedPartition, object_: LakeObject) -> str:
    """Set the object aside and return the address of its copy. Refused if the stop is not as shown any more."""
    source, position, stop = stopped
    if position.day is None or not context.repair.fence(source, stop):
        raise Refused(f"{source} is not in that stop any more: another operator was faster, nothing was done")
    place = (source, position.day, position.next)
    copy = context.quarantine.copy(*place, object_.content)
    _subtract(context, stopped, object_)
    if not context.quarantine.delete(*place, object_.tag):
        raise Refused(f"{object_.url} is another object by now: another operator was faster, it stays in the lake")
    return copy


def _subtract(context: OperatorContext, stopped: StoppedPartition, object_: LakeObject) -> None:
    """Go back to step 0. Reads the position again, because the fence has changed it."""
    counts, position = object_.counts or (), _read(context, stopped)
    while position.step:
        context.repair.retract(stopped.source, position, counts[position.step - 1])
        position = _read(context, stopped)


def _read(context: OperatorContext, stopped: StoppedPartition) -> Position:
    """Return the position. Refused if the partition is not in the same stop any more."""
    current = stopped_partition(context, stopped.source.partition)
    if current.stop != stopped.stop:
        raise Refused(f"{stopped.source} is not in that stop any more: another operator was faster, run this again")
    return current.position
