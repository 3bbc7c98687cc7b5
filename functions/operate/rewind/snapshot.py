"""Reading the state of a partition from the ledger, the brokers and the stores."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from functions.core.errors import Refused
from functions.core.ports import Position, Source
from functions.operate.context import OperatorContext
from functions.operate.rewind.rules import PartitionSnapshot

MAX_CLOCK_SKEW: Final = timedelta(hours=1)  # of a writer


def inspect(context: OperatorContext, partition: int, to: int) -> PartitionSnapshot:
    """Return the state of a partition. Refused without a ledger item, or without a log of the partition."""
    pipeline, brokers = context.pipeline, context.brokers
    source = Source(pipeline.name, pipeline.topic, partition)
    position = context.ledger.read(source)
    if position is None:
        raise Refused(f"the ledger knows no partition {partition} of {source.topic}: there is nothing to rewind")
    if partition not in brokers.partitions(source.topic):
        raise Refused(f"topic {source.topic} has no partition {partition}: there is no log to rewind to")
    return PartitionSnapshot(
        source=source,
        to=to,
        position=position,
        is_known_topic=position.topic_id is not None and position.topic_id == brokers.topic_id(source.topic),
        bounds=brokers.bounds(source.topic, [partition])[partition],
        first_newer=brokers.first_newer(source.topic, partition, position.newest),
        committed=brokers.committed(source.topic, [partition]).get(partition),
        has_members=brokers.has_members(),
        gaps=context.ledger_listing.gaps(source),
        unfinished=_unfinished(context, source, position),
        objects=list(_objects(context, source, to, position.next)),
        letters=_letters(context, source, to),
    )


def _unfinished(context: OperatorContext, source: Source, position: Position) -> bool:
    if not position.has_object or position.day is None:
        return False
    return bool(context.lake.offsets(source, position.day, position.next, position.next))


def _objects(context: OperatorContext, source: Source, first: int, last: int) -> Iterator[tuple[date, int]]:
    for day in opening_days(context.now()):  # without a Lake too: an earlier release may have had one
        yield from ((day, offset) for offset in context.lake.offsets(source, day, first, last))


def opening_days(now: datetime) -> list[date]:
    """Return the days on which a writer may open a slice from now on; no object of a later day exists yet."""
    return sorted({
        (now + skew).astimezone(UTC).date() for skew in (-MAX_CLOCK_SKEW, timedelta(0), MAX_CLOCK_SKEW)
    })  # fmt: skip


def _letters(context: OperatorContext, source: Source, to: int) -> int:
    places = (entry.place for entry in context.letters.entries())
    return sum(place[:2] == (source.topic, source.partition) and place.offset >= to for place in places)
