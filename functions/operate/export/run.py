"""Exporting dead letters as JSON lines, whole and unmasked. It changes nothing, so an interrupted one begins anew."""

import json
from collections.abc import Callable

from functions.operate.context import OperatorContext
from functions.operate.dead_letters.reading import LetterReader
from functions.operate.dead_letters.selection import Selection
from functions.operate.dead_letters.text import as_dict
from functions.operate.formatting import counted
from functions.operate.terminal import Terminal


def run(
    context: OperatorContext,
    selection: Selection,
    write: Callable[[str], None],
    terminal: Terminal,
    *,
    closed: bool = False,
) -> int:
    """Write a line for each open letter, with `closed` for all. Return how many could not be read, and are left out."""
    reader, exported = LetterReader(context, selection, terminal), 0
    try:
        for listed in reader.letters(closed=closed):
            write(json.dumps(as_dict(listed)))
            exported += 1
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted: exported {exported:,} letters, not all of them") from None
    terminal.say(f"exported {counted(exported, 'letter')}")
    return reader.unreadable
