"""Listings of the ledger, the lake and the discarded batches."""

from dataclasses import replace
from datetime import date

from functions.core.intent import Cover, Gap
from functions.core.ports import Opening, Position, Source
from tests.contracts.everything import PIPELINE
from tests.contracts.operators.conftest import Batches, Lakes, Listing
from tests.intents import intent_with

DAY, NEXT_DAY = date(2026, 11, 23), date(2026, 11, 24)


def put(lakes: Lakes, source: Source, day: date, offset: int) -> None:
    assert lakes.lake.put(source, day, intent_with(PIPELINE.schema, cover=Cover(offset, offset, offset, 0)))


def settle(ledger: Listing, source: Source, to: int, gap: Gap | None = None) -> Position:
    opened, _ = ledger.ledger.open(source, 0, 2**62, Opening(DAY, has_object=True, owner="writer"))
    end = Position(to, 0, None, 5)
    assert ledger.ledger.advance(source, opened, end, (), gap)
    return end


def test_positions_are_those_of_one_topic_of_one_pipeline(ledger: Listing, source: Source) -> None:
    ends = {number: settle(ledger, replace(source, partition=number), 40 + number) for number in (0, 3, 33)}
    settle(ledger, replace(source, topic=f"{source.topic}-more"), 7)
    settle(ledger, replace(source, pipeline=f"{source.pipeline}-more"), 7)
    assert ledger.listing.positions(source.pipeline, source.topic) == ends
    assert ledger.listing.positions(source.pipeline, "other") == {}


def test_gaps_are_listed_in_order_and_are_no_positions(ledger: Listing, source: Source) -> None:
    gaps = [Gap(5, 6), Gap(90, 91), Gap(100, 101)]
    for end_offset, gap in zip((200, 201, 202), (gaps[0], gaps[2], gaps[1]), strict=True):
        end = settle(ledger, source, end_offset, gap)
    assert list(ledger.listing.gaps(source)) == gaps
    assert list(ledger.listing.gaps(replace(source, partition=33))) == []
    assert ledger.listing.positions(source.pipeline, source.topic) == {source.partition: end}


def test_lake_objects_are_listed_by_partition_day_and_offset(lakes: Lakes, source: Source) -> None:
    for offset in (9, 7, 100, 2**63 - 1):
        put(lakes, source, DAY, offset)
    put(lakes, source, NEXT_DAY, 8)
    put(lakes, replace(source, partition=33), DAY, 8)
    put(lakes, replace(source, topic=f"{source.topic}-3"), DAY, 8)
    put(lakes, replace(source, pipeline=f"{source.pipeline}-more"), DAY, 8)
    assert list(lakes.listing.offsets(source, DAY, 0, 2**63 - 1)) == [7, 9, 100, 2**63 - 1]
    assert list(lakes.listing.offsets(source, DAY, 8, 100)) == [9, 100]
    assert list(lakes.listing.offsets(source, NEXT_DAY, 9, 9)) == []


def test_discarded_batches_are_listed_and_read(batches: Batches, name: str) -> None:
    batches.put(f"aws/lambda/{name}/b", b"two")
    batches.put(f"aws/lambda/{name}/a", b"one")
    keys = [key for key in batches.batches.keys() if name in key]  # noqa: SIM118 - a port, not a mapping
    assert keys == [f"aws/lambda/{name}/a", f"aws/lambda/{name}/b"]
    assert [batches.batches.read(key) for key in keys] == [b"one", b"two"]
    assert batches.batches.read(f"aws/lambda/{name}/c") == b""
