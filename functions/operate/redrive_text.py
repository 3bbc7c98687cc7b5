"""How a redrive says what it would do, and what it did."""

from functions.operate.plan import Plan
from functions.operate.redrive import Done
from functions.operate.text import many


def planned(made: Plan, topic: str, *, go: bool) -> str:
    """What a redrive would send, or is about to, and what it leaves out and why."""
    records = many(len(made.send), "record")
    first = f"sending {records} to {topic}" if go else f"would send {records} to {topic}"
    first += "; --go sends them" if made.send and not go else ""
    left = (
        (made.before, "redriven before: left out, --again sends them once more"),
        (len(made.unfinished), "left by a redrive that did not finish: --go sends those that are not in the topic"),
        (made.busy, "being sent by another redrive at this moment: left out"),
        (made.unsettled, "not settled yet, so they come again by themselves: left out"),
    )  # fmt: skip
    return "\n".join([first, *(f"  {n:,} {why}" for n, why in left if n)])


def done(what: Done, topic: str) -> str:
    """What a redrive did."""
    told = [f"sent {many(what.sent, 'record')} to {topic}"]
    told += [f"  {what.found:,} had been sent by the redrive that did not finish"] if what.found else []
    told += [f"  {what.taken:,} were taken by another redrive meanwhile"] if what.taken else []
    if lost := what.lost_track:
        told.append(f"  {len(lost):,} may have been sent, the topic does not reach back: {lost[0]}; --again sends them")
    return "\n".join(told)
