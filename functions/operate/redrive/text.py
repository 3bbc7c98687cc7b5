"""What a redrive reports: its plan and its result."""

from collections.abc import Iterator

from functions.operate.formatting import counted
from functions.operate.redrive.execute import RedriveResult
from functions.operate.redrive.given_up import GivenUpRecords
from functions.operate.redrive.letters import LetterRecords
from functions.operate.redrive.plan import RedrivePlan


def plan_text(plan: RedrivePlan, topic: str, *, execute: bool) -> str:
    """Return how many records would be sent, or are about to be, and how many are left out and why."""
    records = counted(len(plan.send), "record")
    first = f"sending {records} to {topic}" if execute else f"would send {records} to {topic}"
    first += "; add --execute to send them" if plan.send and not execute else ""
    left_out = (
        (plan.redriven, "redriven before: left out, add --include-redriven to send them again"),
        (plan.discarded, "discarded before: left out, add --include-redriven to send them"),
        (len(plan.unfinished), "of a redrive that did not finish: --execute sends those that are not in the topic"),
        (plan.in_progress, "being sent by another redrive now: left out"),
        (plan.behind, "after those in their partitions: left out, so that keys stay in order"),
        (plan.unsettled, "not settled yet, so they will be read again: left out"),
    )  # fmt: skip
    return "\n".join([first, *(f"  {n:,} {why}" for n, why in left_out if n)])


def letters_text(records: LetterRecords) -> Iterator[str]:
    """Yield what of the letters is left out before there is a plan."""
    if n := records.settled_elsewhere:
        yield (
            f"  {n:,} refused by one sink, settled in the others: left out, --reason refused sends them, which repeats "
            "their other effects"
        )
    if n := records.rows:
        yield f"  {n:,} hold a row, as their record was not at hand: left out"


def given_up_text(records: GivenUpRecords) -> Iterator[str]:
    """Yield which objects were left out."""
    for key in records.unreadable:
        yield f"{key} in the dead letter bucket contains no event: left out"


def result_text(result: RedriveResult, topic: str) -> str:
    """Return how many records were sent, and what happened to the others."""
    lines = [f"sent {counted(result.sent, 'record')} to {topic}"]
    if result.already_sent:
        lines.append(f"  {result.already_sent:,} had been sent by the redrive that did not finish")
    if result.taken:
        lines.append(f"  {result.taken:,} were taken by another redrive after this one looked")
    if result.behind:
        lines.append(f"  {result.behind:,} after those in their partitions were left out, so that keys stay in order")
    if result.uncertain:
        lines.append(
            f"  {len(result.uncertain):,} may have been sent, and the log has expired since, such as "
            f"{result.uncertain[0]}: add --include-redriven to send them"
        )
    return "\n".join(lines)


def map_text(records: int, unchanged: int, skipped: int) -> str:
    """Return what the map would do."""
    changed = records - unchanged - skipped
    left = f"leaves {unchanged:,} as they are, skips {skipped:,}"
    return f"the map changes {changed:,} of {counted(records, 'record')}, {left}"


def interrupted_text(result: RedriveResult) -> str:
    """Return how far an interrupted redrive came."""
    return f"interrupted: sent {result.sent:,} of {result.planned:,} records; run it again to send the others"
