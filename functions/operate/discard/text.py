"""What a discard reports: its plan and its result."""

from collections.abc import Mapping

from functions.operate.discard.plan import DiscardPlan
from functions.operate.formatting import counted


def plan_text(plan: DiscardPlan, reasons: Mapping[str, int], *, execute: bool) -> str:
    """Return of how many records the letters would be discarded, or are about to be, and what is left out and why."""
    records = counted(len(plan.discard), "record")
    first = f"discarding the letters of {records}" if execute else f"would discard the letters of {records}"
    by_reason = ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items()))
    lines = [f"{first}: {by_reason}" if by_reason else first]
    others = (
        (plan.unfinished, "of them may have been sent by a redrive that did not finish"),
        (plan.closed, "redriven or discarded before: left out"),
        (plan.in_progress, "being sent by a redrive now: left out"),
        (plan.unsettled, "not settled yet, so they will be read again: left out"),
    )  # fmt: skip
    lines += [f"  {n:,} {why}" for n, why in others if n]
    return "\n".join([*lines, *(["to discard them, add --execute"] if plan.discard and not execute else [])])


def result_text(discarded: int, taken: int) -> str:
    """Return how many were discarded, and what happened to the others."""
    lines = [f"discarded the letters of {counted(discarded, 'record')}"]
    lines += [f"  {taken:,} were claimed by another command after this one looked"] if taken else []
    return "\n".join(lines)


def interrupted_text(discarded: int, planned: int) -> str:
    """Return how far an interrupted discard came."""
    return f"interrupted: discarded the letters of {discarded:,} of {planned:,} records; run it again for the others"
