"""The open dead letters of a pipeline, for its status: counted by reason, by listing and not by reading them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from functions.core.dead_letter import Reason
from functions.core.errors import Corrupt, Refused, Unavailable
from functions.core.record_place import RecordPlace
from functions.core.redrive import RedriveClaim
from functions.operate.context import OperatorContext
from functions.operate.dead_letters.closing import LetterState, state_of

MAX_LISTED: Final = 10_000  # of a reason, so that a status needs at most ten requests for each


@dataclass(frozen=True, slots=True)
class OpenLetters:
    """The number of open letters of each reason that has any; `truncated` reasons may have more.

    `error`: why they could not be listed.
    """

    counts: Mapping[str, int]
    truncated: frozenset[str] = frozenset()
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {"open": dict(self.counts), "truncated": sorted(self.truncated), "error": self.error}


def open_letters(context: OperatorContext) -> OpenLetters:
    """Count the open letters. A store that does not answer is an error in the result."""
    try:
        claims = context.claims.all()
        counted = [*context.pool.map(lambda reason: _count(context, reason, claims), Reason)]
    except (Corrupt, Refused, Unavailable) as error:
        return OpenLetters({}, error=str(error))
    by_reason = {reason.value: count for reason, count in zip(Reason, counted, strict=True)}
    truncated = frozenset(reason for reason, (_, is_truncated) in by_reason.items() if is_truncated)
    return OpenLetters({reason: n for reason, (n, _) in by_reason.items() if n or reason in truncated}, truncated)


def _count(context: OperatorContext, reason: Reason, claims: Mapping[RecordPlace, RedriveClaim]) -> tuple[int, bool]:
    """Return the number of open letters of a reason, and whether there may be more."""
    entries = list(islice(context.letters.entries(reason), MAX_LISTED + 1))
    listed = entries[:MAX_LISTED]
    open_ = sum(state_of(entry, claims.get(entry.place)) is LetterState.OPEN for entry in listed)
    return open_, len(entries) > MAX_LISTED
