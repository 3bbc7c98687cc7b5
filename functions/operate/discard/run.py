"""Discarding dead letters: they stay in the bucket, and are closed, as if their records had been redriven.

One conditional write closes the letters of a record. A discard that dies has closed some of them; running it again
closes the others.
"""

import uuid
from collections import Counter
from dataclasses import dataclass, field

from functions.core.errors import Refused
from functions.core.operator_ports import LetterEntry
from functions.operate.context import OperatorContext
from functions.operate.dead_letters.selection import Selection, select
from functions.operate.discard.plan import DiscardPlan, plan
from functions.operate.discard.text import interrupted_text, plan_text, result_text
from functions.operate.redrive.claims import Claims
from functions.operate.redrive.plan import Candidate
from functions.operate.settled import settled_in
from functions.operate.terminal import Terminal


@dataclass(frozen=True, slots=True)
class DiscardRequest:
    """The letters to discard. Without `execute` nothing is changed; `per_second` limits the number of records."""

    selection: Selection
    execute: bool = False
    per_second: int | None = None


@dataclass(slots=True)
class DiscardResult:
    """The number of records whose letters were discarded, and of those that another run claimed first."""

    discarded: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Discard:
    """One run."""

    context: OperatorContext
    claims: Claims
    result: DiscardResult = field(default_factory=DiscardResult)

    def execute(self, discard_plan: DiscardPlan, terminal: Terminal, per_second: int | None) -> None:
        """Close what the plan says, one write for each record. KeyboardInterrupt leaves the rest for another run."""
        for chunk in terminal.chunks(discard_plan.discard, per_second):
            closed = sum(self.context.pool.map(self._close, chunk))
            self.result.discarded += closed
            self.result.taken += len(chunk) - closed

    def _close(self, candidate: Candidate) -> bool:
        return self.claims.discard(*candidate, self.context.now())


def run(context: OperatorContext, request: DiscardRequest, terminal: Terminal) -> None:
    """Report what would be discarded, or discard it. Refused if a named place has no letter."""
    entries = list(select(context, request.selection, terminal.say))
    _require_all(request.selection, entries)
    places = (entry.place for entry in entries)
    discard_plan = plan(places, context.claims.all(), settled_in(context), context.now())
    planned = {place for place, _ in discard_plan.discard}
    reasons = Counter(entry.reason for entry in entries if entry.place in planned)
    terminal.say(plan_text(discard_plan, reasons, execute=request.execute))
    if not request.execute:
        return
    discard = Discard(context, Claims(context.claims, owner=uuid.uuid4().hex))
    try:
        discard.execute(discard_plan, terminal, request.per_second)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(interrupted_text(discard.result.discarded, len(planned))) from None
    terminal.say(result_text(discard.result.discarded, discard.result.taken))


def _require_all(selection: Selection, entries: list[LetterEntry]) -> None:
    found = {entry.place for entry in entries}
    if missing := [str(place) for place in selection.places if place not in found]:
        raise Refused(f"no dead letter of {', '.join(missing)}")
