"""When a rewind would lose or duplicate records.

Every guarantee depends on a ledger that only moves forward. So it may move back only

1. when the log is a different one: it ends before the ledger, or holds newer records at settled offsets.
2. to an offset with nothing settled at or after it, and no record before it that is newer than all that was settled.
3. while no runtime is running that could still finish a slice of the old log.
4. where no key is taken. The key of a lake object holds the day on which its slice was opened: an object of today at an
   offset in [to, next] would be adopted instead of new records. The key of a dead letter holds the day of its record,
   which producers choose, so a letter of any day would keep a new one from being stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from functions.core.intent import Gap
from functions.core.operator_ports import LogBounds
from functions.core.ports import Position, Source
from functions.operate.formatting import counted

NEW_NAME: Final = "give the topic, or the pipeline, a new name"


@dataclass(frozen=True, slots=True)
class PartitionSnapshot:
    """The state of a partition before a rewind to `to`.

    `first_newer` is the first offset whose record is newer than everything that was settled; None if there is none.
    """

    source: Source
    to: int
    position: Position
    is_known_topic: bool  # whether the topic has the ID that the ledger has
    bounds: LogBounds
    first_newer: int | None
    committed: int | None
    has_members: bool  # of the consumer group
    gaps: Sequence[Gap]
    unfinished: bool  # whether a lake object exists at the ledger's offset
    objects: Sequence[tuple[date, int]]  # (day, offset) of lake objects that new slices could adopt
    letters: int  # dead letters at or after `to`

    @property
    def first_unsettled(self) -> int:
        """The offset from which on no record can have been settled."""
        return self.bounds.high if self.first_newer is None else self.first_newer

    def as_dict(self) -> dict[str, Any]:
        """Return the state for JSON."""
        position = self.position
        return {
            "topic": self.source.topic, "partition": self.source.partition, "from": position.next, "to": self.to,
            "log_begin": self.bounds.low, "log_end": self.bounds.high, "first_newer": self.first_newer,
            "committed": self.committed, "group_has_members": self.has_members,
            "stop": position.stop and position.stop.reason.value,
        }  # fmt: skip


def refusal(snapshot: PartitionSnapshot, *, all_new: bool) -> str | None:
    """Return why the ledger must not be moved, and what to do instead; None if it may.

    `all_new` is the operator's word that every record from `to` on is new, even those with old timestamps.
    """
    offset = _not_back(snapshot) or _same_log(snapshot, all_new=all_new) or _wrong_offset(snapshot, all_new=all_new)
    why = offset or _running(snapshot) or _taken(snapshot)
    return why and f"{snapshot.source.topic}-{snapshot.source.partition}: {why}"


def _not_back(snapshot: PartitionSnapshot) -> str | None:
    """Whatever the log is: an offset that is not in it, or not before the ledger's, is no way back."""
    (low, high), to, next_ = snapshot.bounds, snapshot.to, snapshot.position.next
    if not low <= to <= high:
        return f"--to: expected an offset in the log, from {low} to {high}, got {to}"
    if to >= next_:
        return f"--to {to} would not go back: the ledger's offset is {next_}"
    return None


def _same_log(snapshot: PartitionSnapshot, *, all_new: bool) -> str | None:
    first, next_ = snapshot.first_unsettled, snapshot.position.next
    if any(gap.first <= first <= gap.last for gap in snapshot.gaps) and first < next_:
        return f"offset {first} is newer than what was settled, but it was given up on: see redrive --given-up"
    if next_ <= snapshot.bounds.high and first >= next_:
        return (
            f"this is the log that was settled: it ends at {snapshot.bounds.high}, and holds nothing new before "
            f"{next_}, the ledger's offset. A rewind would settle its records twice"
        )
    if snapshot.is_known_topic and next_ <= snapshot.bounds.high and not all_new:
        return (
            f"the topic has the ID that the ledger knows, so this is the log that was settled, and the record at "
            f"{first} only claims to be newer. If the cluster was restored, and every record from {snapshot.to} on is "
            "new, add --all-new"
        )
    return None


def _wrong_offset(snapshot: PartitionSnapshot, *, all_new: bool) -> str | None:
    to, first = snapshot.to, snapshot.first_unsettled
    if to > first:
        return f"--to {to} would lose records: those from {first} on are newer than all that was settled"
    if to < first and not all_new:
        return (
            f"records before {first} are no newer than what was settled, and may have been settled: use --to {first}, "
            f"or add --all-new if every record from {to} on is new, as in a topic that was recreated"
        )
    return None


def _running(snapshot: PartitionSnapshot) -> str | None:
    if snapshot.has_members:
        return "the group has members: stop the worker, or disable the mapping and wait 15 minutes, and run this again"
    if snapshot.position.step or snapshot.unfinished:
        next_ = snapshot.position.next
        return f"the slice at {next_} of the old log was settled in part and cannot be finished: {NEW_NAME}"
    return None


def _taken(snapshot: PartitionSnapshot) -> str | None:
    if snapshot.objects:
        day, offset = snapshot.objects[0]
        return (
            f"{counted(len(snapshot.objects), 'lake object')} of the old log could be adopted for new records, such as "
            f"that of {day} at offset {offset}: run this again 1 hour after that day has ended (UTC), or {NEW_NAME}"
        )
    if snapshot.letters:
        return (
            f"{counted(snapshot.letters, 'dead letter')} of the old log at {snapshot.to} or after would keep new ones "
            f"from being stored: move them away from the pipeline's prefix, or {NEW_NAME}"
        )
    return None
