"""A histogram of the open dead letters: how many for each reason and cause, with examples."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from functions.core.record_place import RecordPlace
from functions.operate.context import OperatorContext
from functions.operate.dead_letters.listing import ListedLetter
from functions.operate.dead_letters.reading import LetterReader
from functions.operate.dead_letters.selection import Selection
from functions.operate.summary.causes import causes_of
from functions.operate.terminal import Terminal

MAX_EXAMPLES: Final = 3
MAX_GROUPS: Final = 1000  # kept in memory; whatever comes later is counted together
OTHER: Final = "other causes"


class Example(NamedTuple):
    """One letter of a group."""

    stored: datetime
    place: RecordPlace
    detail: str


@dataclass(slots=True)
class CauseGroup:
    """The letters of a reason and a cause. `examples` are those that were stored last, the newest first."""

    reason: str
    cause: str
    letters: int = 0
    oldest: datetime | None = None
    examples: list[Example] = field(default_factory=list)

    def add(self, example: Example) -> None:
        """Count a letter."""
        self.letters += 1
        self.oldest = example.stored if self.oldest is None else min(self.oldest, example.stored)
        self.examples = sorted([*self.examples, example], reverse=True)[:MAX_EXAMPLES]


@dataclass(slots=True)
class LetterSummary:
    """The open letters by reason and cause. An invalid event counts once for each of its fields."""

    letters: int = 0
    unreadable: int = 0
    by_cause: dict[tuple[str, str], CauseGroup] = field(default_factory=dict)

    def add(self, listed: ListedLetter) -> None:
        """Count a letter."""
        self.letters += 1
        entry, letter, _ = listed
        for cause in causes_of(letter):
            self._group(entry.reason, cause).add(Example(entry.stored, entry.place, letter.detail))

    def groups(self) -> list[CauseGroup]:
        """Return the groups, the largest first."""
        return sorted(self.by_cause.values(), key=lambda group: (-group.letters, group.reason, group.cause))

    def _group(self, reason: str, cause: str) -> CauseGroup:
        key = (reason, cause)
        if key not in self.by_cause and len(self.by_cause) >= MAX_GROUPS:
            key = (reason, OTHER)
        return self.by_cause.setdefault(key, CauseGroup(*key))


def summarize(context: OperatorContext, selection: Selection, terminal: Terminal) -> LetterSummary:
    """Return the summary of the selected open letters. Reads each of them: one request, many in parallel."""
    summary, reader = LetterSummary(), LetterReader(context, selection, terminal)
    for listed in reader.letters():
        summary.add(listed)
    summary.unreadable = reader.unreadable
    return summary
