"""Moving the ledger of one partition back, after its topic was recreated or its cluster restored."""

from collections.abc import Callable
from dataclasses import dataclass

from functions.core.errors import Refused
from functions.operate.context import OperatorContext
from functions.operate.rewind.rules import PartitionSnapshot, refusal
from functions.operate.rewind.snapshot import inspect
from functions.operate.rewind.text import snapshot_text


@dataclass(frozen=True, slots=True)
class RewindRequest:
    """What the operator asked for. `expected`: the ledger's offset that they saw. `all_new`: see rules.refusal."""

    partition: int
    to: int
    expected: int | None = None
    all_new: bool = False
    execute: bool = False


def run(context: OperatorContext, request: RewindRequest, say: Callable[[str], None]) -> PartitionSnapshot:
    """Show the state of the partition, then how to move its ledger, or move it. Refused where it must not be moved."""
    snapshot = inspect(context, request.partition, request.to)
    say(snapshot_text(snapshot))
    next_ = snapshot.position.next
    if request.expected is not None and request.expected != next_:
        raise Refused(f"the ledger's offset is {next_}, not {request.expected} as in --from: nothing was moved")
    if why := refusal(snapshot, all_new=request.all_new):
        raise Refused(why)
    if not request.execute:
        all_new = " --all-new" if request.all_new else ""
        say(f"to move it: tandem rewind {request.partition} --to {request.to} --from {next_}{all_new} --execute")
        return snapshot
    apply(context, snapshot)
    say(f"moved the ledger from {next_} to {request.to}, and the group's commit with it")
    return snapshot


def apply(context: OperatorContext, snapshot: PartitionSnapshot) -> None:
    """Commit, then move the ledger if it is as in the snapshot. Refused if it is not.

    A commit decides nothing, so it comes first: whatever happens in between, running again is right. The newest settled
    timestamp stays, so that the same check detects the next log that goes back. All else is of the old log and is
    forgotten: the stop, the flood window, suspects, the topic's ID, and gaps, in which the new log's records would
    otherwise seem lost.
    """
    source, position = snapshot.source, snapshot.position
    context.brokers.commit(source.topic, source.partition, snapshot.to)
    if not context.repair.rewind(source, position, snapshot.to, snapshot.gaps):
        raise Refused(
            f"the ledger is not at {position.next} as shown any more: a runtime is running, or another operator was "
            "faster; nothing was moved"
        )
