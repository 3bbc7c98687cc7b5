"""Reading many letters for a person who waits: with progress, and without stopping at one that cannot be read."""

from collections.abc import Iterator
from dataclasses import dataclass

from functions.operate.context import OperatorContext
from functions.operate.dead_letters.closing import LetterState, state_of
from functions.operate.dead_letters.listing import ListedLetter
from functions.operate.dead_letters.selection import Selection, Unreadable, read_letters, select_unread
from functions.operate.terminal import Terminal


@dataclass(slots=True)
class LetterReader:
    """Reads the selected letters once. `unreadable` counts those that were left out, and reported on the terminal."""

    context: OperatorContext
    selection: Selection
    terminal: Terminal
    unreadable: int = 0

    def letters(self, *, closed: bool = False) -> Iterator[ListedLetter]:
        """Yield the open letters, with `closed` all, in the order of their keys. One request for each."""
        claims = self.context.claims.all()
        entries = [
            entry
            for entry in select_unread(self.context, self.selection)
            if closed or state_of(entry, claims.get(entry.place)) is LetterState.OPEN
        ]
        for chunk in self.terminal.chunks(entries):
            for entry, letter in read_letters(self.context, chunk):
                if isinstance(letter, Unreadable):
                    self.unreadable += 1
                    self.terminal.say(f"left out, because it cannot be read: {letter.why}")
                elif self.selection.accepts_letter(letter):
                    yield ListedLetter(entry, letter, claims.get(entry.place))
