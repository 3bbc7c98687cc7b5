"""When the lake object of a stopped partition may be set aside, so that its records are evaluated anew.

Everything stays exact because

1. the partition is stopped: no writer advances over the object, and none opens the position.
2. the position is fenced first: a writer that has read the object before, and was suspended, cannot advance with it.
3. the counts of the steps that are done are subtracted, one transaction for each, before the object is deleted.
4. rows of tables and messages of topics that the object caused are caused again by the same records: tables keep one
   row of each record, topics repeat messages as after any crash.
"""

from dataclasses import dataclass

from functions.core.operator_ports import LakeObject
from functions.core.ports import StopReason
from functions.operate.stops import StoppedPartition


@dataclass(frozen=True, slots=True)
class QuarantineSnapshot:
    """A stopped partition, the object at its offset, and copies of objects that were set aside there."""

    stopped: StoppedPartition
    object_: LakeObject | None
    copies: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        """Whether an earlier run has set the object aside."""
        return self.object_ is None and bool(self.copies) and self.stopped.position.step == 0


def refusal(snapshot: QuarantineSnapshot) -> str | None:
    """Return why the object must not be set aside, and what to do instead; None if it may."""
    why = _no_object(snapshot) or _not_exact(snapshot)
    return why and f"{snapshot.stopped.source}: {why}"


def _no_object(snapshot: QuarantineSnapshot) -> str | None:
    (_, position, stop), resume = snapshot.stopped, f"tandem resume {snapshot.stopped.source.partition}"
    if stop.reason is not StopReason.CORRUPT:
        return f"the stop is {stop.reason.value}, not {StopReason.CORRUPT.value}: no object causes it, see {resume}"
    if position.day is None or not position.has_object:
        return f"the ledger says that offset {position.next} has no object: the ledger itself is corrupt"
    if snapshot.object_ is None and position.step == 0:
        return (
            f"there is no object at offset {position.next} of {position.day}: nothing is to be set aside, see {resume}"
        )
    if snapshot.object_ is not None and snapshot.object_.problem is None and position.step == 0:
        return f"this release can read {snapshot.object_.url}, and would roll it forward: see {resume}"
    return None


def _not_exact(snapshot: QuarantineSnapshot) -> str | None:
    step, object_ = snapshot.stopped.position.step, snapshot.object_
    if step == 0:
        return None
    done = f"the counts of {step} of its transactions are added"
    if object_ is None:
        return f"the object has disappeared, and {done}: restore the object's last version in the bucket"
    if object_.counts is None:
        return (
            f"{done} already, and it cannot be read which: evaluating the records anew would count them twice. Resume "
            f"with the release that wrote {object_.url}"
        )
    if step > len(object_.counts):
        return f"the object has {len(object_.counts)} transactions, and {done}: they are not those of this object"
    if object_.problem is None:
        return f"this release can read {object_.url}, and would roll it forward from step {step}: resume the partition"
    return None
