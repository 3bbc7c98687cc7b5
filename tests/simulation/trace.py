"""Short descriptions of arguments and results of port calls, for a replay."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from functions.core.dead_letter import DeadLetter
from functions.core.effects import Count, Message, Newest
from functions.core.intent import Gap, Intent
from functions.core.ports import Position
from functions.core.rows import Rows


def describe(value: Any) -> str:
    """Return a short description for a type of FORMS, else str(value)."""
    form = FORMS.get(type(value), str)
    return form(value)


def _several(values: Sequence[Any]) -> str:
    return ", ".join(map(describe, values)) or "nothing"


def _position(position: Position) -> str:
    parts = [f"next {position.next} step {position.step} day {position.day}"]
    parts += [str(position.suspect)] if position.suspect else []
    parts += [f"stopped by {position.stop.reason.value}"] if position.stop else []
    return " ".join(parts)


def _intent(intent: Intent) -> str:
    cover = intent.cover
    return f"[{cover.next}: {cover.start}..{cover.end}] {_rows(intent.rows)}"


def _rows(rows: Rows) -> str:
    deletes = [delete.offset for delete in rows.deletes]
    return f"rows {list(rows.offsets)}" + (f" deletes {deletes}" if deletes else "")


def _newest(row: Newest) -> str:
    return f"{row.key}@{row.order.offset}" + ("" if row.row else " deleted")


FORMS: Final[dict[type, Callable[[Any], str]]] = {
    tuple: _several,
    list: _several,
    Position: _position,
    Rows: _rows,
    Newest: _newest,
    Intent: _intent,
    Gap: lambda gap: f"gap [{gap.first}, {gap.last}]",
    DeadLetter: lambda letter: str(letter.offset),
    Message: lambda message: message.headers[0][1].decode(),
    Count: lambda count: f"{count.counter}?{count.group}@{count.bucket}+{count.amount}",
}
