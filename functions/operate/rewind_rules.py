"""When a rewind would lose or double records.

Every guarantee rests on a ledger that only moves forward, so it is moved back

1. only when the log is another one: it ends before the ledger, or holds newer records under settled offsets.
2. only to an offset with nothing settled at or after it, and nothing newer than all that was settled before it.
3. only while no runtime is at work, which might bring a slice of the old log to its end.
4. never onto keys that are taken. A lake object's key holds the day its slice is opened on: one of today at an
   offset in [to, next] would be adopted in place of new records. A dead letter's key holds the day of its record,
   which producers choose, so letters of any day would keep new ones from being stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from functions.core.ports import Gap, Position, Source
from functions.operate.brokers import Ends
from functions.operate.text import many

NEW_NAME: Final = "give the topic, or the pipeline, a new name"


@dataclass(frozen=True, slots=True)
class View:
    """What is there before a rewind to `to`. `newer` is the first offset that is newer than all that was settled."""

    source: Source
    to: int
    at: Position
    ends: Ends
    newer: int | None
    committed: int | None
    active: bool  # whether the group has members
    gaps: Sequence[Gap]
    unfinished: bool  # whether an object lies where the ledger stands
    objects: Sequence[str]  # keys in the lake that new slices could come upon
    letters: int  # dead letters at or after `to`

    @property
    def fresh(self) -> int:
        """Where records begin that cannot have been settled."""
        return self.ends.high if self.newer is None else self.newer


def refusal(view: View, *, all_new: bool) -> str | None:
    """Why this must not be, and the way out; None if it may. `all_new` vouches for records with old timestamps."""
    why = _same_log(view) or _wrong_offset(view, all_new=all_new) or _at_work(view) or _taken(view)
    return why and f"{view.source.topic}-{view.source.partition}: {why}"


def _same_log(view: View) -> str | None:
    if any(gap.first <= view.fresh <= gap.last for gap in view.gaps) and view.fresh < view.at.next:
        return f"offset {view.fresh} is newer than what was settled, but was given up on: see redrive --given-up"
    if view.at.next <= view.ends.high and view.fresh >= view.at.next:
        return (
            f"this is the log that was settled: it reaches to {view.ends.high}, and holds nothing new before "
            f"{view.at.next}, where the ledger stands. Going back would settle its records twice"
        )
    return None


def _wrong_offset(view: View, *, all_new: bool) -> str | None:
    (low, high), to, fresh = view.ends, view.to, view.fresh
    if not low <= to <= high:
        return f"--to takes an offset in the log, from {low} to {high}, got {to}"
    if to >= view.at.next:
        return f"--to {to} would not go back: the ledger stands at {view.at.next}"
    if to > fresh:
        return f"--to {to} would lose records: those from {fresh} on are newer than all that was settled"
    if to < fresh and not all_new:
        return (
            f"records before {fresh} are no newer than what was settled, and may have been: take --to {fresh}, or add "
            f"--all-new if every record from {to} on is new, as in a topic that was made anew"
        )
    return None


def _at_work(view: View) -> str | None:
    if view.active:
        return "a runtime is in the group: stop the worker, or disable the mapping and wait 15 minutes, and come again"
    if view.at.step or view.unfinished:
        return f"the slice at {view.at.next} of the old log was settled in part and cannot be finished: {NEW_NAME}"
    return None


def _taken(view: View) -> str | None:
    if view.objects:
        return (
            f"{many(len(view.objects), 'lake object')} of the old log could be taken for the new one's, such as "
            f"{view.objects[0]}: come again 1 hour after that day has ended (UTC), or {NEW_NAME}"
        )
    if view.letters:
        return (
            f"{many(view.letters, 'dead letter')} of the old log at {view.to} or after would keep new ones from being "
            f"stored: move them away from the pipeline's prefix, or {NEW_NAME}"
        )
    return None
