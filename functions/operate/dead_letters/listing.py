"""The dead letters of a pipeline: their counts, the newest, and all letters of one record."""

from collections import Counter
from collections.abc import Callable
from heapq import nlargest
from typing import NamedTuple

from functions.core.dead_letter import DeadLetter
from functions.core.errors import Refused
from functions.core.operator_ports import LetterEntry
from functions.core.record_place import RecordPlace
from functions.core.redrive import RedriveClaim
from functions.operate.context import OperatorContext
from functions.operate.dead_letters.closing import LetterState, state_of
from functions.operate.dead_letters.selection import Selection, Unreadable, read_letters, select


class ListedLetter(NamedTuple):
    """A letter, its place in the archive, and the claim of its record, if it was ever redriven or discarded."""

    entry: LetterEntry
    letter: DeadLetter
    claim: RedriveClaim | None

    @property
    def state(self) -> LetterState:
        """What became of it."""
        return state_of(self.entry, self.claim)


class LetterGroup(NamedTuple):
    """What the counts are by."""

    reason: str
    day: str
    state: LetterState


LetterCounts = Counter[LetterGroup]


def list_letters(
    context: OperatorContext,
    selection: Selection,
    limit: int,
    say: Callable[[str], None],
    *,
    closed: bool = False,
) -> tuple[LetterCounts, list[ListedLetter]]:
    """Return the counts of the selected letters, and the `limit` that were stored last, newest first.

    Only open letters are among the newest, unless `closed` ones are asked for. `say` reports what cannot be read.
    """
    claims = context.claims.all()
    counts: LetterCounts = Counter()

    def counted(entry: LetterEntry) -> bool:
        state = state_of(entry, claims.get(entry.place))
        counts[LetterGroup(entry.reason, entry.day, state)] += 1
        return closed or state is LetterState.OPEN

    newest = nlargest(limit, filter(counted, select(context, selection, say)), key=_stored)
    listed = []
    for entry, letter in read_letters(context, newest):
        if isinstance(letter, Unreadable):
            say(f"left out, because it cannot be read: {letter.why}")
        else:
            listed.append(ListedLetter(entry, letter, claims.get(entry.place)))
    return counts, listed


def _stored(entry: LetterEntry) -> tuple[float, RecordPlace]:
    return entry.stored.timestamp(), entry.place


def letters_of(context: OperatorContext, place: RecordPlace) -> list[ListedLetter]:
    """Return the letters of one record; Refused if there is none."""
    entries = context.letters.entries_of(place)
    if not entries:
        raise Refused(
            f"{context.pipeline.name} has no dead letter of {place}: tandem dead-letters list shows the newest"
        )
    claim = context.claims.all().get(place)
    return [ListedLetter(entry, context.letters.read(entry), claim) for entry in entries]
