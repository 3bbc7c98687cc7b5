"""Moving the ledger of one partition back, for a topic that was recreated or a cluster that was restored."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from functions.adapters.aws_errors import calling
from functions.adapters.lake import key
from functions.core.errors import Refused
from functions.core.ports import Position, Source
from functions.operate.desk import Desk, now
from functions.operate.rewind_rules import View, refusal
from functions.operate.text import instant

SKEW: Final = timedelta(hours=1)  # how far a writer's clock may be off
MEANING: Final = """\
Records from {to} on will have their effects, as new ones. What those of the old log did stays: rows, counts, messages.
Rows and messages of both logs may name the same topic, partition and offset."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. `seen`: where the ledger must stand. See rewind_rules.refusal for `all_new`."""

    partition: int
    to: int
    seen: int | None = None
    all_new: bool = False
    go: bool = False


def run(desk: Desk, wish: Wish, say: Callable[[str], None]) -> None:
    """Show what is there, then say what to do, or do it. Refused, with the way out, where it must not be."""
    view = look(desk, wish.partition, wish.to, now())
    say(told(view))
    if wish.seen is not None and wish.seen != view.at.next:
        raise Refused(f"the ledger stands at {view.at.next}, not at {wish.seen} as you saw it: nothing was moved")
    if why := refusal(view, all_new=wish.all_new):
        raise Refused(why)
    if not wish.go:
        vouched = " --all-new" if wish.all_new else ""
        say(f"to do it: tandem rewind {wish.partition} --to {wish.to} --from {view.at.next}{vouched} --go")
        return
    go(desk, view)
    say(f"moved the ledger from {view.at.next} to {wish.to}, and the group's commit with it")


def look(desk: Desk, partition: int, to: int, at_time: datetime) -> View:
    """Ask the ledger, the brokers and the stores. Refused where there is no ledger or no log of the partition."""
    pipeline, brokers = desk.pipeline, desk.brokers
    source = Source(pipeline.name, pipeline.topic, partition)
    at = desk.ledger.read(source)
    if at is None:
        raise Refused(f"the ledger knows no partition {partition} of {source.topic}: there is nothing to rewind")
    if partition not in brokers.partitions(source.topic):
        raise Refused(f"topic {source.topic} has no partition {partition}: there is no log to rewind to")
    lake = pipeline.has_lake
    return View(
        source=source,
        to=to,
        at=at,
        ends=brokers.ends(source.topic, [partition])[partition],
        newer=brokers.newer(source.topic, partition, at.newest),
        committed=brokers.committed(source.topic, [partition]).get(partition),
        active=brokers.active(),
        gaps=desk.ledger.gaps(source),
        unfinished=bool(lake and at.day and _objects(desk, source, at.day, at.next, at.next)),
        objects=[one for day in _days(at_time) for one in _objects(desk, source, day, to, at.next)] if lake else (),
        letters=_letters(desk, source, to),
    )


def _days(at_time: datetime) -> list[date]:
    """Those that a writer may open a slice on from now on; later ones hold nothing yet."""
    return sorted({(at_time + skew).astimezone(UTC).date() for skew in (-SKEW, timedelta(0), SKEW)})


def _objects(desk: Desk, source: Source, day: date, first: int, last: int) -> list[str]:
    low, high = key(source, day, first), key(source, day, last)
    prefix, bucket = low.removesuffix(f"{first:020d}.parquet"), desk.settings.lake_bucket
    with calling(f"s3://{bucket}"):
        pages = desk.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", ()) if low <= one["Key"] <= high]


def _letters(desk: Desk, source: Source, to: int) -> int:
    places = (letter.place for letter in desk.letters.found())
    return sum(place[:2] == (source.topic, source.partition) and place.offset >= to for place in places)


def told(view: View) -> str:
    """What there is, and what a rewind means."""
    at, ends = view.at, view.ends
    newest = f"of {instant(at.newest)}" if at.newest >= 0 else "none"
    newer = "none" if view.newer is None else f"from {view.newer} on"
    committed = "nothing" if view.committed is None else str(view.committed)
    return "\n".join([
        f"ledger  next {at.next}; newest settled record {newest}",
        f"log     holds [{ends.low}, {ends.high}); records newer than that: {newer}",
        f"group   has committed {committed}; {'a runtime is in it' if view.active else 'nobody is in it'}",
        MEANING.format(to=view.to),
    ])  # fmt: skip


def go(desk: Desk, view: View) -> None:
    """Commit, then move the ledger if it still stands where it was seen. Refused if it does not.

    In this order, because a commit decides nothing: whatever happens in between, running again is right. The newest
    settled timestamp stays, so that the same test finds the next log that goes back.
    """
    desk.brokers.commit(view.source.topic, view.source.partition, view.to)
    if not desk.ledger.advance(view.source, view.at, Position(view.to, 0, None, view.at.newest), (), None):
        raise Refused(f"the ledger does not stand at {view.at.next} any more: a runtime is at work, nothing was moved")
