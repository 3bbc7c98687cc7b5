"""Dead letters as text for people and as JSON for programs."""

import json
from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from functions.adapters.letter_json import encode
from functions.core.redrive import ClaimState, RedriveClaim
from functions.operate.dead_letters.closing import LetterState
from functions.operate.dead_letters.listing import LetterCounts, ListedLetter
from functions.operate.formatting import counted, kafka_time, labelled, moment, printable, table

MAX_DETAIL_CHARACTERS: Final = 100  # in a list


def list_text(counts: LetterCounts, newest: Sequence[ListedLetter]) -> str:
    """Return the counts as a table, without groups whose letters are all closed, then the newest letters."""
    if not counts:
        return "no dead letters"
    groups = [
        (reason, day, *(f"{states[state]:,}" for state in LetterState))
        for (day, reason), states in _groups(counts)
        if states[LetterState.OPEN]
    ]
    lines = [
        (moment(entry.stored), str(entry.place), entry.reason, shortened(letter.detail)) for entry, letter, _ in newest
    ]  # fmt: skip
    return "\n".join([
        *([table(("reason", "day", *LetterState), groups)] if groups else []), _total(counts),
        *(["", table(("stored", "place", "reason", "detail"), lines)] if lines else []),
    ])  # fmt: skip


def _total(counts: LetterCounts) -> str:
    states = dict.fromkeys(LetterState, 0)
    for group, n in counts.items():
        states[group.state] += n
    redriven, discarded = states[LetterState.REDRIVEN], states[LetterState.DISCARDED]
    closed = f"; {redriven:,} redriven and {discarded:,} discarded are closed" if redriven or discarded else ""
    return f"{counted(states[LetterState.OPEN], 'open dead letter')}{closed}"


def list_json(counts: LetterCounts, newest: Sequence[ListedLetter]) -> str:
    """Return the counts by state, and the newest letters whole, as they are stored."""
    groups = [
        {"reason": reason, "day": day, **{state.value: states[state] for state in LetterState}}
        for (day, reason), states in _groups(counts)
    ]  # fmt: skip
    return json.dumps({"counts": groups, "newest": list(map(as_dict, newest))}, indent=1)


def _groups(counts: LetterCounts) -> list[tuple[tuple[str, str], dict[LetterState, int]]]:
    """Return the counts by state for each (day, reason), the last day first."""
    sums: dict[tuple[str, str], dict[LetterState, int]] = defaultdict(lambda: dict.fromkeys(LetterState, 0))
    for group, n in counts.items():
        sums[group.day, group.reason][group.state] += n
    return sorted(sums.items(), key=itemgetter(0), reverse=True)


def as_dict(listed: ListedLetter) -> dict[str, Any]:
    """Return a letter as it is stored, with its key and time in the bucket, and its state."""
    letter: dict[str, Any] = json.loads(encode(listed.letter))
    return letter | {
        "key_in_bucket": listed.entry.key, "stored": moment(listed.entry.stored), "state": listed.state.value
    }  # fmt: skip


def shortened(detail: str) -> str:
    """Return a detail as one short line."""
    line = " ".join(detail.split())
    return printable(line if len(line) <= MAX_DETAIL_CHARACTERS else f"{line[: MAX_DETAIL_CHARACTERS - 3]}...")


def letter_text(listed: ListedLetter) -> str:
    """Return one letter, whole. What comes from the record cannot break a line, so it cannot look like another one."""
    entry, letter, claim = listed
    headers = [("header", f"{name}: {_decoded(value)}") for name, value in letter.headers]
    lines = [
        ("record", f"{entry.place} of {kafka_time(letter.timestamp)}"),
        ("rejected", f"{letter.reason.value}: {letter.detail}"),
        ("stored", f"{moment(entry.stored)} as {entry.key}"), ("redriven", _redriven(claim)),
        *_discarded(listed),
        ("key", _decoded(letter.key)), *headers, ("value", _decoded(letter.value)),
    ]  # fmt: skip
    traceback = letter.traceback.splitlines()
    return labelled([*lines, *(("traceback" if n == 0 else "", line) for n, line in enumerate(traceback))])


def _redriven(claim: RedriveClaim | None) -> str:
    if claim is None or not claim.times:
        return "no"
    if claim.state is ClaimState.SENDING:
        return f"started {moment(claim.claimed_at)}, not finished"
    last = "" if claim.state is ClaimState.DISCARDED else f", last {moment(claim.claimed_at)}"
    return f"{counted(claim.times, 'time')}{last}"


def _discarded(listed: ListedLetter) -> list[tuple[str, str]]:
    if listed.claim is None or listed.state is not LetterState.DISCARDED:
        return []
    return [("discarded", moment(listed.claim.claimed_at))]


def _decoded(data: bytes | None) -> str:
    """Return UTF-8 as text, and any other bytes as Python writes them."""
    if data is None:
        return "none"
    try:
        return data.decode()
    except UnicodeDecodeError:
        return repr(data)
