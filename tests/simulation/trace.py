"""What a replay shows of the things that pass between a writer and its stores."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from functions.core.dead_letter import DeadLetter
from functions.core.effects import Count, Message, Newest
from functions.core.ports import Cover, Gap, Position
from functions.core.rows import Rows


def short(told: Any) -> str:
    """In a few characters, if it is one of ours."""
    form = FORMS.get(type(told), str)
    return form(told)


def _several(told: Sequence[Any]) -> str:
    return ", ".join(map(short, told)) or "nothing"


def _position(at: Position) -> str:
    return f"next {at.next} step {at.step} day {at.day}"


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
    Cover: lambda cover: f"[{cover.next}: {cover.start}..{cover.end}]",
    Gap: lambda gap: f"gap [{gap.first}, {gap.last}]",
    DeadLetter: lambda letter: str(letter.offset),
    Message: lambda message: message.headers[0][1].decode(),
    Count: lambda count: f"{count.counter}?{count.group}@{count.bucket}+{count.amount}",
}
