"""Selecting dead letters: by their keys and times alone where that is enough, otherwise by reading them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt
from functions.core.operator_ports import LetterEntry
from functions.core.record_place import RecordPlace
from functions.operate.context import OperatorContext

CHUNK: Final = 256  # letters that are handed to the pool together


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters of a pipeline: those that meet every condition, of `places` if there are any, otherwise of all.

    `day` (YYYY-MM-DD) is that of the record's timestamp. `since` and `until` are about the time when the letter was
    stored, `until` excluded. `key` is the whole key of the record; `text` is in its key, value or headers, or in the
    letter's detail.
    """

    reason: Reason | None = None
    day: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    partition: int | None = None
    key: str | None = None
    text: str | None = None
    places: Sequence[RecordPlace] = ()

    @property
    def is_places(self) -> bool:
        """Whether there is no condition on letters, but at most places."""
        return replace(self, places=()) == Selection()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self.is_places and not self.places

    @property
    def needs_content(self) -> bool:
        """Whether letters must be read to select them."""
        return self.key is not None or self.text is not None

    def accepts_entry(self, entry: LetterEntry) -> bool:
        """Return whether a letter meets the conditions that its entry can show."""
        return (
            (self.partition is None or entry.place.partition == self.partition)
            and (self.since is None or entry.stored >= self.since)
            and (self.until is None or entry.stored < self.until)
        )

    def accepts_letter(self, letter: DeadLetter) -> bool:
        """Return whether a letter meets the conditions on its content. Bytes are compared with UTF-8."""
        if self.key is not None and letter.key != _argument(self.key):
            return False
        return self.text is None or _contains(letter, _argument(self.text))


class Unreadable(NamedTuple):
    """A letter that could not be read, and why."""

    entry: LetterEntry
    why: str


def select(context: OperatorContext, selection: Selection, say: Callable[[str], None]) -> Iterator[LetterEntry]:
    """Yield the selected entries. Letters are read only if their content matters; unreadable ones are left out."""
    if not selection.needs_content:
        yield from select_unread(context, selection)
        return
    for entry, letter in read_letters(context, select_unread(context, selection)):
        if isinstance(letter, Unreadable):
            say(f"left out, because it cannot be read: {letter.why}")
        elif selection.accepts_letter(letter):
            yield entry


def read_letters(
    context: OperatorContext, entries: Iterable[LetterEntry]
) -> Iterator[tuple[LetterEntry, DeadLetter | Unreadable]]:
    """Read letters, many in parallel, and yield them in the order of their entries."""

    def read(entry: LetterEntry) -> DeadLetter | Unreadable:
        try:
            return context.letters.read(entry)
        except Corrupt as error:
            return Unreadable(entry, str(error))

    remaining = iter(entries)
    while chunk := list(islice(remaining, CHUNK)):
        yield from zip(chunk, context.pool.map(read, chunk), strict=True)


def select_unread(context: OperatorContext, selection: Selection) -> Iterator[LetterEntry]:
    """Yield the entries that may be selected: conditions on the content of a letter are not applied."""
    return filter(selection.accepts_entry, _listed(context, selection))


def _listed(context: OperatorContext, selection: Selection) -> Iterator[LetterEntry]:
    if not selection.places:
        yield from context.letters.entries(selection.reason, selection.day)
    for place in dict.fromkeys(selection.places):
        yield from context.letters.entries_of(place)


def _contains(letter: DeadLetter, text: bytes) -> bool:
    parts = [letter.key, letter.value, _text(letter.detail)]
    parts += [part for name, value in letter.headers for part in (_text(name), value)]
    return any(text in part for part in parts if part is not None)


def _argument(text: str) -> bytes:
    """Return the bytes of a command line's argument, whether or not they are UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _text(text: str) -> bytes:
    """Return the bytes of a text of ours, which may quote half a surrogate pair."""
    return text.encode("utf-8", "surrogatepass")
