"""The settlement protocol, step by step, on the in-memory stores. Interleavings are the simulation's."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.core.dead_letter import Reason
from functions.core.errors import Corrupt, Flood, OffsetsWentBack
from functions.core.flood import FloodLimit
from functions.core.pipeline import AnyPipeline, Limits
from functions.core.ports import Cover, Gap, Position, Source, Stores
from functions.core.rows import Rows
from functions.core.settle import Settler
from functions.core.sinks import MINUTE, Counters
from functions.core.slice import Slice
from tests.unit.core.clicks import KEY, SINKS, click, part, pipeline

DAY = date(2026, 1, 1)
SOURCE = Source("clicks", "click", 0)


class World:
    """One set of stores and as many writers as a test wants."""

    def __init__(self, *, lake: bool = True, **changes: Any) -> None:
        self.ledger, self.lake, self.table, self.topic = MemoryLedger(), MemoryLake(), MemoryTable(), MemoryTopic()
        self.letters = MemoryDeadLetters()
        self.today = DAY
        self.declared: AnyPipeline = pipeline(**({} if lake else {"sinks": SINKS[1:]}) | changes)
        self.stores = Stores(
            self.ledger, self.lake if lake else None, {"last-click": self.table}, {"clicked": self.topic}, self.letters,
            lambda: self.today,
        )  # fmt: skip

    def writer(self) -> Settler:
        return Settler(self.declared, self.stores, KEY)

    def put(self, first: int, start: int, end: int) -> None:
        """Another writer evaluated a slice and died after its put."""
        values = [click(f"other{offset}", 60) for offset in range(start, end + 1)]
        other = World()
        other.writer().settle(part(*values, start=start))
        ((_, rows),) = other.lake.objects.values()
        self.lake.put(SOURCE, DAY, Cover(first, start, end, 5_000), rows)


def test_settling_does_everything_once() -> None:
    world = World()
    done = world.writer().settle(part(click("a"), "{", None, click("b")))
    assert (done.next, done.records, done.rows, done.dropped) == (4, 4, 2, 1)
    assert done.rejected == {Reason.UNDECODABLE: 1}
    assert world.ledger.read(SOURCE) == Position(4, 0, None, 1003)
    ((cover, rows),) = world.lake.objects.values()
    assert cover == Cover(0, 0, 3, 1003)
    assert rows.offsets == [0, 3]
    assert sorted(world.table.rows) == ["a", "b"]
    assert len(world.topic.messages) == 2
    assert [letter.offset for letter in world.letters.letters.values()] == [1]
    assert world.ledger.counters == {("clicks-per-minute", "", 60): 2}


def test_settling_again_changes_nothing() -> None:
    world, slice_ = World(), part(click("a"), click("b"))
    world.writer().settle(slice_)
    done = world.writer().settle(slice_)
    assert (done.next, done.records, done.already) == (2, 0, 2)
    assert len(world.topic.messages) == 2
    assert sum(world.ledger.counters.values()) == 2


def test_of_a_longer_redelivery_only_the_rest_is_settled() -> None:
    world = World()
    world.writer().settle(part(click("a"), click("b")))
    done = world.writer().settle(part(click("a"), click("b"), click("c")))
    assert (done.next, done.records, done.already) == (3, 1, 2)
    assert [rows.offsets for _, rows in world.lake.objects.values()] == [[0, 1], [2]]


def test_a_slice_without_rows_leaves_an_object() -> None:
    world = World()
    world.writer().settle(part(None, "{"))
    ((cover, rows),) = world.lake.objects.values()
    assert (cover.end, len(rows)) == (1, 0)


def test_an_object_that_is_there_is_rolled_forward_and_the_rest_settled() -> None:
    world = World()
    world.ledger.open(SOURCE, 0, 1, DAY)
    world.put(0, 0, 1)
    done = world.writer().settle(part(click("mine"), click("mine"), click("mine")))
    assert (done.next, done.adopted, done.rows, done.records) == (3, 1, 3, 3)
    assert [rows.columns["user"] for _, rows in world.lake.objects.values()] == [["other0", "other1"], ["mine"]]
    assert sum(world.ledger.counters.values()) == 3
    assert sorted(world.table.rows) == ["mine", "other0", "other1"]


def test_an_object_may_reach_beyond_the_slice() -> None:
    world = World()
    world.ledger.open(SOURCE, 0, 1, DAY)
    world.put(0, 0, 4)
    done = world.writer().settle(part(click("mine")))
    assert (done.next, done.adopted, done.records, done.rows) == (5, 1, 1, 5)


def test_the_day_is_that_of_the_first_to_open() -> None:
    world = World()
    world.ledger.open(SOURCE, 0, 0, DAY)
    world.today = date(2026, 1, 2)
    world.writer().settle(part(click()))
    world.writer().settle(part(click(), start=1))
    assert [(day, offset) for _, day, offset in world.lake.objects] == [(DAY, 0), (date(2026, 1, 2), 1)]


def test_a_slice_that_starts_late_leaves_a_gap() -> None:
    world = World()
    world.writer().settle(part(click(), start=0))
    done = world.writer().settle(part(click(), start=5))
    assert done.gaps == world.ledger.gaps[SOURCE] == [Gap(1, 4)]


def test_an_adopted_objects_gap_is_recorded_too() -> None:
    world = World()
    world.writer().settle(part(click(), start=0))
    world.ledger.open(SOURCE, 1, 9, DAY)
    world.put(1, 5, 6)
    done = world.writer().settle(part(*[click()] * 9, start=1))
    assert done.gaps == [Gap(1, 4)]
    assert done.next == 10


def test_a_slice_may_start_beyond_an_object_that_waits() -> None:
    world = World()
    world.ledger.open(SOURCE, 0, 9, DAY)
    world.put(0, 0, 1)
    done = world.writer().settle(part(*[click()] * 3, start=5))
    assert (done.next, done.adopted, done.records) == (8, 1, 3)
    assert done.gaps == [Gap(2, 4)]


def test_more_counts_than_a_transaction_holds_take_several() -> None:
    world = World()
    world.ledger.counts_per_advance = 2
    world.writer().settle(part(*[click("a", 60 * n) for n in range(5)]))
    assert world.ledger.counters == {("clicks-per-minute", "", 60 * n): 1 for n in range(5)}
    assert world.ledger.read(SOURCE) == Position(5, 0, None, 1004)


def test_a_writer_that_died_between_transactions_is_taken_over() -> None:
    world = World()
    world.ledger.counts_per_advance = 2
    slice_ = part(*[click("a", 60 * n) for n in range(5)])
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
    world, slice_ = World(), part(click("a"), click("b"))
    advance = world.ledger.advance

    def late(*args: Any) -> bool:
        world.stores = replace(world.stores, ledger=world.ledger)
        world.writer().settle(slice_)
        return advance(*args)

    world.stores = replace(world.stores, ledger=_with(world.ledger, advance=late))
    done = world.writer().settle(slice_)
    assert (done.conflicts, done.records, done.already, done.next) == (1, 0, 2, 2)
    assert sum(world.ledger.counters.values()) == 2


def test_without_a_lake_a_slice_is_cut_until_its_counts_fit() -> None:
    world = World(lake=False)
    world.ledger.counts_per_advance = 2
    done = world.writer().settle(part(*[click("a", 60 * n) for n in range(7)], "{"))
    assert (done.next, done.records, done.rows, sum(done.rejected.values())) == (8, 8, 7, 1)
    assert world.ledger.counters == {("clicks-per-minute", "", 60 * n): 1 for n in range(7)}
    assert not world.lake.objects


def test_a_flood_stores_nothing_and_stays_one() -> None:
    world = World(limits=Limits(flood=FloodLimit(0.5, 4)))
    writer = world.writer()
    for _ in range(2):
        with pytest.raises(Flood):
            writer.settle(part("{", "{", "{", click()))
    assert not world.letters.letters
    assert not world.lake.objects


def test_a_recreated_topic_is_not_taken_for_a_settled_one() -> None:
    world = World()
    world.writer().settle(part(*[click()] * 10, time=1_000))
    for records in (part(click(), time=50_000), part(*[click()] * 20, time=50_000)):
        with pytest.raises(OffsetsWentBack, match="topic recreated"):
            world.writer().settle(records)


def test_a_redelivery_that_reaches_further_is_no_recreated_topic() -> None:
    world = World()
    world.writer().settle(part(*[click()] * 3, time=1_000))
    assert world.writer().settle(part(*[click()] * 5, time=1_000)).next == 5


def test_a_ledger_beyond_its_counters_is_corrupt() -> None:
    world = World()
    world.ledger.positions[SOURCE] = Position(0, 7, DAY, -1)
    with pytest.raises(Corrupt, match="step 7 of 1"):
        world.writer().settle(part(click()))


def test_a_ledger_without_a_day_is_corrupt() -> None:
    world = World()
    world.stores = replace(world.stores, ledger=_with(world.ledger, open=lambda *_: Position(0, 0, None, -1)))
    with pytest.raises(Corrupt, match="names no day"):
        world.writer().settle(part(click()))


def test_records_may_be_missing_inside_a_slice() -> None:
    world = World()
    holes = Slice("click", 0, 0, 9, [2, 5], [1, 2], [None] * 2, [click("a").encode(), click("b").encode()], [()] * 2)
    assert world.writer().settle(holes).next == 10
    empty = Slice("click", 0, 10, 12, [], [], [], [], [])
    assert world.writer().settle(empty).next == 13


def test_two_counters_share_the_transactions() -> None:
    more = (*SINKS, Counters("clicks-per-hour", by=("user",), every=60 * MINUTE, at="at"))
    world = World(sinks=more)
    world.writer().settle(part(click("a"), click("b")))
    assert world.ledger.counters == {
        ("clicks-per-minute", "", 60): 2,
        ("clicks-per-hour", "user=a", 0): 1,
        ("clicks-per-hour", "user=b", 0): 1,
    }


def test_rows_have_a_length() -> None:
    assert len(Rows([1, 2], [0, 0], {})) == 2


def _with(ledger: MemoryLedger, **methods: Any) -> Any:
    """A ledger with some of its methods exchanged."""
    names = ("read", "open", "advance")
    return type("Changed", (), {
        "counts_per_advance": ledger.counts_per_advance,
        **{name: staticmethod(methods.get(name, getattr(ledger, name))) for name in names},
    })()  # fmt: skip
