"""How the verbs for dead letters write: for people and for programs."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

from functions.adapters.letter_json import encode
from functions.core.dead_letter import DeadLetter
from functions.operate.letters import Found
from functions.operate.marks import Mark, State
from functions.operate.text import instant, many, moment, table

Counts = Counter[tuple[str, str, bool]]  # reason, day, redriven
WIDEST: Final = 100  # characters of a detail in a list


def listed(counts: Counts, last: Sequence[tuple[Found, DeadLetter]]) -> str:
    """Counts, then the newest letters."""
    if not counts:
        return "no dead letters"
    groups = [(reason, day, f"{n:,}", f"{again:,}") for reason, day, n, again in _groups(counts)]
    total, again = counts.total(), sum(n for (_, _, redriven), n in counts.items() if redriven)
    newest = [
        (moment(found.stored), str(found.place), found.reason, _short(letter.detail)) for found, letter in last
    ]  # fmt: skip
    return "\n".join([
        table(("reason", "day", "letters", "redriven"), groups),
        f"{many(total, 'dead letter')}, {again:,} redriven",
        *(["", table(("stored", "place", "reason", "detail"), newest)] if newest else []),
    ])  # fmt: skip


def listed_json(counts: Counts, last: Sequence[tuple[Found, DeadLetter]]) -> str:
    """The same for programs; letters whole, as they are stored."""
    groups = [
        {"reason": reason, "day": day, "letters": n, "redriven": again} for reason, day, n, again in _groups(counts)
    ]  # fmt: skip
    newest = [_stored(letter) | {"key_in_bucket": found.key, "stored": moment(found.stored)} for found, letter in last]
    return json.dumps({"counts": groups, "newest": newest}, indent=1)


def _groups(counts: Counts) -> list[tuple[str, str, int, int]]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for (reason, day, redriven), n in counts.items():
        sums[day, reason][0] += n
        sums[day, reason][1] += n * redriven
    return [(reason, day, n, again) for (day, reason), (n, again) in sorted(sums.items(), reverse=True)]


def _stored(letter: DeadLetter) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(encode(letter))
    return told


def _short(detail: str) -> str:
    line = " ".join(detail.split())
    return printable(line if len(line) <= WIDEST else f"{line[: WIDEST - 3]}...")


def whole(found: Found, letter: DeadLetter, mark: Mark | None) -> str:
    """One letter, to be read."""
    headers = [("header", f"{name}: {_text(value)}") for name, value in letter.headers]
    lines = [
        ("record", f"{found.place} of {instant(letter.timestamp)}"),
        ("rejected", f"{letter.reason.value}: {letter.detail}"),
        ("stored", f"{moment(found.stored)} as {found.key}"), ("redriven", _redriven(mark)),
        ("key", _text(letter.key)), *headers, ("value", _text(letter.value)),
    ]  # fmt: skip
    told = "\n".join(f"{name:<9} {printable(text)}" for name, text in lines)
    return f"{told}\n{printable(letter.traceback)}" if letter.traceback else told


def _redriven(mark: Mark | None) -> str:
    if mark is None:
        return "no"
    if mark.state is State.SENDING:
        return f"begun {moment(mark.at)}, and not finished"
    return f"{many(mark.times, 'time')}, last {moment(mark.at)}"


def _text(data: bytes | None) -> str:
    """Text where it is text, else as Python writes bytes."""
    if data is None:
        return "none"
    try:
        return data.decode()
    except UnicodeDecodeError:
        return repr(data)


def printable(text: str) -> str:
    """Records come from anywhere: without what would drive a terminal, or what it could not encode."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)
