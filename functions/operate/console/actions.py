"""The changes that the console offers: the verbs themselves, with their dry runs and their refusals."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from functions.core.dead_letter import Reason
from functions.core.errors import Misconfigured, TandemError
from functions.core.handover_ports import Runtime
from functions.core.record_place import parse_place
from functions.operate.context import OperatorContext
from functions.operate.dead_letters.selection import Selection
from functions.operate.discard.run import DiscardRequest
from functions.operate.discard.run import run as discard
from functions.operate.handover.run import HandoverRequest
from functions.operate.handover.run import run as hand_over
from functions.operate.quarantine.run import QuarantineRequest
from functions.operate.quarantine.run import run as quarantine
from functions.operate.redrive.run import RedriveRequest
from functions.operate.redrive.run import run as redrive
from functions.operate.resume.run import ResumeRequest
from functions.operate.resume.run import run as resume
from functions.operate.terminal import Terminal

Fields = Mapping[str, str]
ON_COMMAND_LINE: Final = re.compile(r"; add --execute to .*$")  # here a button does it
MAX_NUMBER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What a verb printed; `error`: why it ended."""

    lines: list[str]
    error: str | None


def run_action(context: OperatorContext, name: str, fields: Fields, *, execute: bool) -> ActionResult:
    """Run an action, dry unless `execute`. Misconfigured if there is none of this name, or a field is wrong."""
    if name not in ACTIONS:
        raise Misconfigured(f"no action {name}: expected one of {', '.join(ACTIONS)}")
    lines: list[str] = []
    terminal = Terminal(lambda text: lines.extend(ON_COMMAND_LINE.sub("", line) for line in text.splitlines()))
    try:
        ACTIONS[name](context, fields, terminal, execute)
    except Misconfigured:
        raise
    except TandemError as error:
        return ActionResult(lines, str(error))
    return ActionResult(lines, None)


def selection_of(fields: Fields) -> Selection:
    """Return the selection of a form's or an address's fields; empty ones select nothing."""
    given = {name: fields[name] for name in ("reason", "key", "text", "partition", "place") if fields.get(name)}
    reasons = {each.value: each for each in Reason}
    if given.get("reason", next(iter(reasons))) not in reasons:
        raise Misconfigured(f"reason: got {given['reason']!r}, expected one of {', '.join(reasons)}")
    try:
        places = [parse_place(given["place"])] if "place" in given else []
    except ValueError as error:
        raise Misconfigured(str(error)) from None
    return Selection(
        reason=reasons.get(given.get("reason", "")), key=given.get("key"), text=given.get("text"),
        partition=_number("partition", given["partition"]) if "partition" in given else None, places=places,
    )  # fmt: skip


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > MAX_NUMBER:
        raise Misconfigured(f"{name}: got {text!r}, expected a number")
    return int(text)


def _redrive(context: OperatorContext, fields: Fields, terminal: Terminal, execute: bool) -> None:  # noqa: FBT001 - of ACTIONS
    redrive(context, RedriveRequest(selection_of(fields), execute=execute), terminal)


def _discard(context: OperatorContext, fields: Fields, terminal: Terminal, execute: bool) -> None:  # noqa: FBT001
    selection = selection_of(fields)
    if selection.is_everything:
        raise Misconfigured("select the letters to discard: a reason, a key, a text, a partition or a record")
    discard(context, DiscardRequest(selection, execute), terminal)


def _resume(context: OperatorContext, fields: Fields, terminal: Terminal, execute: bool) -> None:  # noqa: FBT001
    partition = _number("partition", fields.get("partition", ""))
    resume(context, ResumeRequest(partition, fields.get("since") or None, execute), terminal.say)


def _quarantine(context: OperatorContext, fields: Fields, terminal: Terminal, execute: bool) -> None:  # noqa: FBT001
    partition = _number("partition", fields.get("partition", ""))
    quarantine(context, QuarantineRequest(partition, fields.get("since") or None, execute), terminal.say)


def _hand_over(context: OperatorContext, fields: Fields, terminal: Terminal, execute: bool) -> None:  # noqa: FBT001
    target = fields.get("to", "")
    if target not in set(Runtime):
        raise Misconfigured(f"to: got {target!r}, expected msk or worker")
    hand_over(context, HandoverRequest(Runtime(target), execute=execute), terminal)


ACTIONS: Final[Mapping[str, Callable[[OperatorContext, Fields, Terminal, bool], None]]] = {
    "redrive": _redrive,
    "discard": _discard,
    "resume": _resume,
    "quarantine": _quarantine,
    "handover": _hand_over,
}
