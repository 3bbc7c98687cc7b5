"""The histogram of dead letters as text and as JSON."""

import json
from typing import Final

from functions.operate.dead_letters.text import shortened
from functions.operate.formatting import counted, moment, printable, table
from functions.operate.summary.run import CauseGroup, LetterSummary

MAX_BAR: Final = 20  # characters
HEADINGS: Final = ("letters", "", "reason", "cause", "newest", "detail")


def summary_text(summary: LetterSummary, limit: int) -> str:
    """Return a line for each of the `limit` largest groups, with its newest letter, then the totals."""
    groups = summary.groups()
    if not groups:
        return "no open dead letters"
    rows = [_cells(group, groups[0].letters) for group in groups[:limit]]
    more = f", of which the largest {limit:,} are shown" if len(groups) > limit else ""
    total = f"{counted(summary.letters, 'open dead letter')} in {counted(len(groups), 'group')}{more}"
    return "\n".join([*([table(HEADINGS, rows)] if rows else []), total])


def _cells(group: CauseGroup, largest: int) -> tuple[str, ...]:
    newest = group.examples[0]
    bar = "#" * max(1, MAX_BAR * group.letters // largest)
    return f"{group.letters:,}", bar, group.reason, printable(group.cause), str(newest.place), shortened(newest.detail)


def summary_json(summary: LetterSummary, limit: int) -> str:
    """Return the totals, and the `limit` largest groups with their examples."""
    groups = summary.groups()
    answer = {
        "letters": summary.letters,
        "unreadable": summary.unreadable,
        "groups": len(groups),
        "largest": list(map(_as_dict, groups[:limit])),
    }
    return json.dumps(answer, indent=1)


def _as_dict(group: CauseGroup) -> dict[str, object]:
    return {
        "reason": group.reason,
        "cause": group.cause,
        "letters": group.letters,
        "oldest": group.oldest and moment(group.oldest),
        "newest": moment(group.examples[0].stored),
        "examples": [
            {"place": str(each.place), "stored": moment(each.stored), "detail": each.detail} for each in group.examples
        ],
    }
