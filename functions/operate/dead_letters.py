"""Looking at dead letters: how many there are, the newest, and one of them whole."""

from collections import Counter
from heapq import nlargest

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Refused
from functions.operate import letters_text
from functions.operate.desk import Desk
from functions.operate.letters import Found
from functions.operate.marks import State
from functions.operate.place import Place

Listed = tuple[Found, DeadLetter]


def listing(
    desk: Desk, reason: Reason | None, day: str | None, limit: int
) -> tuple[Counter[tuple[str, str, bool]], list[Listed]]:
    """How many letters by (reason, day, redriven), and the `limit` that were stored last, newest first."""
    done = {place for place, mark in desk.marks.all().items() if mark.state is State.SENT}
    counts: Counter[tuple[str, str, bool]] = Counter()

    def counted(letter: Found) -> Found:
        counts[letter.reason, letter.day, letter.place in done] += 1
        return letter

    last = nlargest(limit, map(counted, desk.letters.found(reason, day)), key=_stored)
    return counts, list(zip(last, desk.pool.map(desk.letters.read, last), strict=True))


def _stored(letter: Found) -> tuple[float, Place]:
    return letter.stored.timestamp(), letter.place


def show(desk: Desk, place: Place) -> str:
    """The letters of one record, and whether it was redriven; Refused if there is none."""
    found = desk.letters.at(place)
    if not found:
        raise Refused(f"{desk.pipeline.name} has no dead letter of {place}: tandem dead-letters list shows some")
    mark = desk.marks.all().get(place)
    return "\n\n".join(letters_text.whole(letter, desk.letters.read(letter), mark) for letter in found)
