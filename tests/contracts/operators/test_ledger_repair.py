"""What operators change in the ledger: on which conditions, and what each change leaves alone."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from functions.core.effects import Count
from functions.core.intent import Gap
from functions.core.ports import DurableStop, Opening, Position, Source, StopReason, Suspect
from tests.contracts.operators.conftest import Listing
from tests.contracts.race import raced

OPENING = Opening(date(2026, 11, 23), has_object=True, owner="writer")
STOP = DurableStop(StopReason.FLOOD, "900 of the last 1000: \u00e9\n", 7, 9, 1_764_000_000_000, 5)
OTHERS = [
    replace(STOP, at=STOP.at + 1), replace(STOP, last=10), replace(STOP, reason=StopReason.CORRUPT),
    replace(STOP, detail=""),
]  # fmt: skip


def opened(ledger: Listing, source: Source) -> Position:
    return ledger.ledger.open(source, 7, 9, OPENING)[0]


def stopped(ledger: Listing, source: Source, stop: DurableStop = STOP) -> Position:
    position = replace(opened(ledger, source), stop=stop)
    ledger.ledger.stop(source, stop)
    assert ledger.ledger.read(source) == position
    return position


def test_a_resume_removes_the_stop_and_writes_what_is_accepted(ledger: Listing, source: Source) -> None:
    position = stopped(ledger, source)
    resumed = replace(position, stop=None, newest=5, accepted=9, window=((100, 40), (7, 0)))
    assert ledger.repair.resume(source, STOP, resumed)
    assert ledger.ledger.read(source) == resumed
    assert not ledger.repair.resume(source, STOP, resumed)


@pytest.mark.parametrize("other", OTHERS)
def test_only_the_stop_that_was_shown_is_changed(ledger: Listing, source: Source, other: DurableStop) -> None:
    position = stopped(ledger, source, other)
    assert not ledger.repair.resume(source, STOP, replace(position, stop=None, accepted=9))
    assert not ledger.repair.fence(source, STOP)
    shown = replace(position, stop=STOP)
    assert not ledger.repair.retract(source, shown, [])
    assert not ledger.repair.rewind(source, shown, 0, ())
    assert not ledger.repair.rewind(source, replace(position, stop=None), 0, ())
    assert ledger.ledger.read(source) == position


def test_a_partition_that_is_not_known_is_not_created(ledger: Listing, source: Source) -> None:
    position = Position(7, 0, None, -1, stop=STOP)
    assert not ledger.repair.resume(source, STOP, position)
    assert not ledger.repair.fence(source, STOP)
    assert not ledger.repair.retract(source, position, [])
    assert not ledger.repair.rewind(source, position, 0, ())
    assert ledger.ledger.read(source) is None


def test_one_of_operators_at_once_resumes(ledger: Listing, source: Source) -> None:
    position = stopped(ledger, source)
    won = raced(lambda _: ledger.repair.resume(source, STOP, replace(position, stop=None)))
    assert won.count(True) == 1


def test_a_writer_that_opened_before_the_fence_does_not_advance(ledger: Listing, source: Source) -> None:
    before = opened(ledger, source)
    for fence in (1, 2):
        ledger.ledger.stop(source, STOP)
        assert ledger.repair.fence(source, STOP)
        fenced = ledger.ledger.read(source)
        assert fenced == replace(before, stop=STOP, fence=fence, owner=None)
        assert ledger.repair.resume(source, STOP, replace(fenced, stop=None))
    target = Position(10, 0, None, 5, fence=2)
    for stale in (before, replace(before, fence=1)):
        assert not ledger.ledger.advance(source, stale, target, [], Gap(7, 8))
    current = opened(ledger, source)
    assert current == replace(before, fence=2)
    assert ledger.ledger.advance(source, current, replace(current, step=1), [], None)
    assert ledger.ledger.advance(source, replace(current, step=1), target, [], None)
    assert ledger.ledger.read(source) == target


def test_a_retraction_subtracts_the_counts_of_one_step(ledger: Listing, source: Source, name: str) -> None:
    position, counts = opened(ledger, source), [Count(name, "a=b", 60, 3, (("total", Decimal("1.50")),))]
    for step in (1, 2):
        assert ledger.ledger.advance(source, position, replace(position, step=step), counts, None)
        position = replace(position, step=step)
    ledger.ledger.stop(source, STOP)
    position = replace(position, stop=STOP)
    assert ledger.repair.retract(source, position, counts)
    assert ledger.counted(name) == {("a=b", 60): 3}
    assert not ledger.repair.retract(source, position, counts)
    assert ledger.ledger.read(source) == replace(position, step=1)
    assert ledger.repair.retract(source, replace(position, step=1), counts)
    assert ledger.counted(name) == {("a=b", 60): 0}
    assert ledger.ledger.read(source) == replace(position, step=0)


def test_of_operators_at_once_one_retracts(ledger: Listing, source: Source, name: str) -> None:
    position, counts = opened(ledger, source), [Count(name, "", 60, 3)]
    assert ledger.ledger.advance(source, position, replace(position, step=1), counts, None)
    ledger.ledger.stop(source, STOP)
    position = replace(position, step=1, stop=STOP)
    assert raced(lambda _: ledger.repair.retract(source, position, counts)).count(True) == 1
    assert ledger.counted(name) == {("", 60): 0}


def test_a_rewind_keeps_the_newest_timestamp_alone(ledger: Listing, source: Source) -> None:
    ledger.ledger.begin(source, 7, "topic-id")
    position = opened(ledger, source)
    target = replace(position, next=900, newest=77, day=None, has_object=None, owner=None, window=((3, 1),))
    assert ledger.ledger.advance(source, position, target, [], None)
    position = ledger.ledger.open(source, 900, 950, OPENING)[0]
    assert ledger.ledger.narrow(source, position, Suspect(950, 3))
    ledger.ledger.stop(source, STOP)
    position = replace(position, suspect=Suspect(950, 3), stop=STOP)
    for moved in (replace(position, next=901), replace(position, step=1), replace(position, fence=1)):
        assert not ledger.repair.rewind(source, moved, 5, ())
    assert ledger.repair.rewind(source, position, 5, ())
    assert ledger.ledger.read(source) == Position(5, 0, None, 77, fence=1)


def test_a_rewind_of_a_partition_that_is_not_stopped(ledger: Listing, source: Source) -> None:
    position = opened(ledger, source)
    assert ledger.repair.rewind(source, position, 5, ())
    assert not ledger.repair.rewind(source, position, 5, ())
    assert ledger.ledger.read(source) == Position(5, 0, None, -1, fence=1)


def test_a_rewind_forgets_gaps_from_its_offset_on(ledger: Listing, source: Source) -> None:
    gaps = [Gap(10, 19), Gap(30, 49), *(Gap(first, first + 1) for first in range(100, 520, 4))]
    assert len(gaps) > 100, "more than one transaction holds"
    for end, gap in enumerate(gaps, 1000):
        position = ledger.ledger.open(source, 7, end, OPENING)[0]
        assert ledger.ledger.advance(source, position, Position(end, 0, None, 5), [], gap)
    settled = ledger.ledger.read(source)
    assert settled is not None
    assert not ledger.repair.rewind(source, replace(settled, next=1), 40, gaps)
    assert list(ledger.listing.gaps(source)) == gaps
    assert ledger.repair.rewind(source, settled, 40, gaps)
    assert list(ledger.listing.gaps(source)) == [Gap(10, 19), Gap(30, 39)]
