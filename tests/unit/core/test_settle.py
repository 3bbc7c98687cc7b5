"""The settlement protocol, step by step, on the in-memory stores. The simulation tests interleavings."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.core.dead_letter import Reason
from functions.core.errors import Busy, Corrupt, Flood, OffsetsWentBack
from functions.core.flood import FloodLimit
from functions.core.intent import Cover, Gap
from functions.core.pipeline import AnyPipeline, Limits
from functions.core.ports import Opening, Position, Source, Stores
from functions.core.rows import Rows
from functions.core.settle import Settler
from functions.core.sinks import MINUTE, Counters
from functions.core.slice import Slice
from tests.unit.core.clicks import KEY, SINKS, click, pipeline, slice_of

DAY = date(2026, 1, 1)
SOURCE = Source("clicks", "click", 0)


class World:
    """One set of stores, shared by any number of writers."""

    def __init__(self, *, lake: bool = True, **changes: Any) -> None:
        self.ledger, self.lake, self.table, self.topic = MemoryLedger(), MemoryLake(), MemoryTable(), MemoryTopic()
        self.letters = MemoryDeadLetters()
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self.declared: AnyPipeline = pipeline(**({} if lake else {"sinks": SINKS[1:]}) | changes)
        self.stores = Stores(
            self.ledger, self.lake, {"last-click": self.table}, {"clicked": self.topic}, self.letters, lambda: self.now,
        )  # fmt: skip

    def writer(self, owner: str = "writer") -> Settler:
        return Settler(self.declared, self.stores, KEY, owner)

    def open(self, first: int, last: int) -> None:
        """Open the ledger as another writer does, which then dies in good order."""
        self.ledger.open(SOURCE, first, last, Opening(DAY, has_object=True, owner="other"))
        self.ledger.release(SOURCE, "other")

    def put(self, first: int, start: int, end: int) -> None:
        """Put the object of another writer that evaluated a slice and died after its put."""
        values = [click(f"other{offset}", 60) for offset in range(start, end + 1)]
        other = World()
        other.writer().settle(slice_of(*values, start=start))
        (intent,) = other.lake.objects.values()
        self.lake.put(SOURCE, DAY, replace(intent, cover=Cover(first, start, end, 5_000)))


def test_settling_does_everything_once() -> None:
    world = World()
    settled = world.writer().settle(slice_of(click("a"), "{", None, click("b")))
    assert (settled.next, settled.records, settled.rows, settled.dropped) == (4, 4, 2, 1)
    assert settled.rejected == {Reason.UNDECODABLE: 1}
    assert world.ledger.read(SOURCE) == Position(4, 0, None, 1003, window=((4, 1),), clock=1003)
    (intent,) = world.lake.objects.values()
    assert intent.cover == Cover(0, 0, 3, 1003)
    assert intent.rows.offsets == [0, 3]
    assert sorted(world.table.rows) == [("a",), ("b",)]
    assert len(world.topic.messages) == 2
    assert [letter.offset for letter in world.letters.letters.values()] == [1]
    assert world.ledger.counters == {("clicks-per-minute", "", 60): 2}


def test_settling_again_changes_nothing() -> None:
    world, slice_ = World(), slice_of(click("a"), click("b"))
    world.writer().settle(slice_)
    settled = world.writer().settle(slice_)
    assert (settled.next, settled.records, settled.already_settled) == (2, 0, 2)
    assert len(world.topic.messages) == 2
    assert sum(world.ledger.counters.values()) == 2


def test_of_a_longer_redelivery_only_the_rest_is_settled() -> None:
    world = World()
    world.writer().settle(slice_of(click("a"), click("b")))
    settled = world.writer().settle(slice_of(click("a"), click("b"), click("c")))
    assert (settled.next, settled.records, settled.already_settled) == (3, 1, 2)
    assert [intent.rows.offsets for intent in world.lake.objects.values()] == [[0, 1], [2]]


def test_a_slice_without_rows_leaves_an_object() -> None:
    world = World()
    world.writer().settle(slice_of(None, "{"))
    (intent,) = world.lake.objects.values()
    assert (intent.cover.end, len(intent.rows)) == (1, 0)


def test_an_existing_object_is_rolled_forward_and_the_rest_settled() -> None:
    world = World()
    world.open(0, 1)
    world.put(0, 0, 1)
    settled = world.writer().settle(slice_of(click("mine"), click("mine"), click("mine")))
    assert (settled.next, settled.adopted, settled.rows, settled.records) == (3, 1, 3, 3)
    users = [intent.rows.columns["user"] for intent in world.lake.objects.values()]
    assert users == [["other0", "other1"], ["mine"]]
    assert sum(world.ledger.counters.values()) == 3
    assert sorted(world.table.rows) == [("mine",), ("other0",), ("other1",)]


def test_an_object_may_reach_beyond_the_slice() -> None:
    world = World()
    world.open(0, 1)
    world.put(0, 0, 4)
    settled = world.writer().settle(slice_of(click("mine")))
    assert (settled.next, settled.adopted, settled.records, settled.rows) == (5, 1, 1, 5)


def test_the_day_is_that_of_the_first_writer_to_open() -> None:
    world = World()
    world.open(0, 0)
    world.now += timedelta(days=1)
    world.writer().settle(slice_of(click()))
    world.writer().settle(slice_of(click(), start=1))
    assert [(day, offset) for _, day, offset in world.lake.objects] == [(DAY, 0), (date(2026, 1, 2), 1)]


def test_a_slice_that_starts_late_leaves_a_gap() -> None:
    world = World()
    world.writer().settle(slice_of(click(), start=0))
    settled = world.writer().settle(slice_of(click(), start=5))
    assert settled.gaps == world.ledger.gaps[SOURCE] == [Gap(1, 4)]


def test_an_adopted_objects_gap_is_recorded_too() -> None:
    world = World()
    world.writer().settle(slice_of(click(), start=0))
    world.open(1, 9)
    world.put(1, 5, 6)
    settled = world.writer().settle(slice_of(*[click()] * 9, start=1))
    assert settled.gaps == [Gap(1, 4)]
    assert settled.next == 10


def test_a_slice_may_start_after_an_object_that_was_not_rolled_forward() -> None:
    world = World()
    world.open(0, 9)
    world.put(0, 0, 1)
    settled = world.writer().settle(slice_of(*[click()] * 3, start=5))
    assert (settled.next, settled.adopted, settled.records) == (8, 1, 3)
    assert settled.gaps == [Gap(2, 4)]


def test_more_counts_than_fit_a_transaction_need_several() -> None:
    world = World()
    world.ledger.counts_per_advance = 2
    world.writer().settle(slice_of(*[click("a", 60 * n) for n in range(5)]))
    assert world.ledger.counters == {("clicks-per-minute", "", 60 * n): 1 for n in range(5)}
    assert world.ledger.read(SOURCE) == Position(5, 0, None, 1004, window=((5, 0),), clock=1004)


def test_a_writer_that_died_between_transactions_is_taken_over() -> None:
    world = World()
    world.ledger.counts_per_advance = 2
    slice_ = slice_of(*[click("a", 60 * n) for n in range(5)])
    advance, calls = world.ledger.advance, []

    class Dead(BaseException):
        pass

    def dies(*args: Any) -> bool:
        calls.append(args)
        if len(calls) == 3:
            raise Dead
        return advance(*args)

    world.stores = replace(world.stores, ledger=_with(world.ledger, advance=dies))
    with pytest.raises(Dead):
        world.writer().settle(slice_)
    world.stores = replace(world.stores, ledger=world.ledger)
    assert world.ledger.positions[SOURCE].step == 2
    assert world.writer().settle(slice_).adopted == 1
    assert world.ledger.counters == {("clicks-per-minute", "", 60 * n): 1 for n in range(5)}


def test_a_transaction_that_another_writer_made_first_is_a_conflict() -> None:
    world, slice_ = World(), slice_of(click("a"), click("b"))
    advance = world.ledger.advance

    def late(*args: Any) -> bool:
        world.stores = replace(world.stores, ledger=world.ledger)
        world.writer().settle(slice_)
        return advance(*args)

    world.stores = replace(world.stores, ledger=_with(world.ledger, advance=late))
    settled = world.writer().settle(slice_)
    assert (settled.conflicts, settled.records, settled.already_settled, settled.next) == (1, 0, 2, 2)
    assert sum(world.ledger.counters.values()) == 2


def test_without_a_lake_a_slice_is_cut_until_its_counts_fit() -> None:
    world = World(lake=False)
    world.ledger.counts_per_advance = 2
    settled = world.writer().settle(slice_of(*[click("a", 60 * n) for n in range(7)], "{"))
    assert (settled.next, settled.records, settled.rows, sum(settled.rejected.values())) == (8, 8, 7, 1)
    assert world.ledger.counters == {("clicks-per-minute", "", 60 * n): 1 for n in range(7)}
    assert not world.lake.objects


def test_a_flood_stores_nothing_and_is_refused_again() -> None:
    world = World(limits=Limits(flood=FloodLimit(0.5, 4)))
    writer = world.writer()
    for _ in range(2):
        with pytest.raises(Flood):
            writer.settle(slice_of("{", "{", "{", click()))
    assert not world.letters.letters
    assert not world.lake.objects


def test_a_recreated_topic_is_refused() -> None:
    world = World()
    world.writer().settle(slice_of(*[click()] * 10, time=1_000))
    for records in (slice_of(click(), time=50_000), slice_of(*[click()] * 20, time=50_000)):
        with pytest.raises(OffsetsWentBack, match="topic recreated"):
            world.writer().settle(records)


def test_a_redelivery_that_reaches_further_is_no_recreated_topic() -> None:
    world = World()
    world.writer().settle(slice_of(*[click()] * 3, time=1_000))
    assert world.writer().settle(slice_of(*[click()] * 5, time=1_000)).next == 5


def test_a_ledger_at_a_step_without_counts_is_corrupt() -> None:
    world = World()
    world.put(0, 0, 1)
    world.ledger.positions[SOURCE] = Position(0, 7, DAY, -1, has_object=True)
    with pytest.raises(Corrupt, match="step 7 of 1"):
        world.writer().settle(slice_of(click()))


def test_a_ledger_without_a_day_is_corrupt() -> None:
    world = World()
    opened = Position(0, 0, None, -1, has_object=True), None
    world.stores = replace(world.stores, ledger=_with(world.ledger, open=lambda *_: opened))
    with pytest.raises(Corrupt, match="has no day"):
        world.writer().settle(slice_of(click()))


def test_records_may_be_missing_inside_a_slice() -> None:
    world = World()
    holes = Slice("click", 0, 0, 9, [2, 5], [1, 2], [None] * 2, [click("a").encode(), click("b").encode()], [()] * 2)
    assert world.writer().settle(holes).next == 10
    empty = Slice("click", 0, 10, 12, [], [], [], [], [])
    assert world.writer().settle(empty).next == 13


def test_two_counters_share_the_transactions() -> None:
    more = (*SINKS, Counters("clicks-per-hour", by=("user",), every=60 * MINUTE, at="at"))
    world = World(sinks=more)
    world.writer().settle(slice_of(click("a"), click("b")))
    assert world.ledger.counters == {
        ("clicks-per-minute", "", 60): 2,
        ("clicks-per-hour", "user=a", 0): 1,
        ("clicks-per-hour", "user=b", 0): 1,
    }


def test_an_abandoned_settlement_owns_the_ledger_no_more() -> None:
    world = World()
    values = [click(f"u{number}") for number in range(4)]
    settlement = world.writer().begin(slice_of(*values))
    world.ledger.open(SOURCE, 0, 3, Opening(DAY, has_object=True, owner="writer/0"))
    settlement.abandon()
    assert world.ledger.positions[SOURCE].owner is None
    with pytest.raises(Busy, match="abandoned"):
        settlement.run()
    assert (world.ledger.positions[SOURCE].owner, world.ledger.positions[SOURCE].next) == (None, 0)


def test_each_evaluation_of_a_settlement_is_counted() -> None:
    settlement = World().writer().begin(slice_of(click("a")))
    assert (settlement.evaluations, settlement.evaluating) == (0, False)
    settlement.run()
    assert (settlement.evaluations, settlement.evaluating) == (1, False)


def test_rows_have_a_length() -> None:
    assert len(Rows([1, 2], [0, 0], [0, 0], {})) == 2


def _with(ledger: MemoryLedger, **methods: Any) -> Any:
    """Return a ledger with some of its methods replaced."""
    names = ("read", "open", "release", "stop", "narrow", "advance")
    return type("Changed", (), {
        "counts_per_advance": ledger.counts_per_advance,
        **{name: staticmethod(methods.get(name, getattr(ledger, name))) for name in names},
    })()  # fmt: skip
