"""Whether a letter is closed: its record was redriven, or it was discarded. Closed letters stay where they are."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from functions.core.operator_ports import LetterEntry
from functions.core.redrive import ClaimState, RedriveClaim

MAX_CLOCK_SKEW: Final = timedelta(hours=1)  # between the store of letters and an operator's computer


class LetterState(StrEnum):
    """What became of a letter."""

    OPEN = "open"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


def state_of(entry: LetterEntry, claim: RedriveClaim | None) -> LetterState:
    """Return the state of a letter by the claim of its record.

    A letter that was stored after the claim is of another record, which got the same offset after a rewind.
    """
    if claim is None or claim.state is ClaimState.SENDING or entry.stored > claim.claimed_at + MAX_CLOCK_SKEW:
        return LetterState.OPEN
    return LetterState.REDRIVEN if claim.state is ClaimState.SENT else LetterState.DISCARDED
