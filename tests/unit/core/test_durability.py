"""What a release, a restart, a stop and a retry must not change: laws 6, 8, 9 and 11 on the in-memory stores."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryTable, MemoryTopic, memory_stores
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import Message, Newest
from functions.core.errors import Busy, Corrupt, Flood, Incomplete, OffsetsWentBack, Refused, Unavailable
from functions.core.flood import FloodLimit
from functions.core.pipeline import Limits
from functions.core.ports import DurableStop, Opening, Position, Refusal, Source, StopReason, Stores
from functions.core.settle import Settled, Settler
from functions.core.sinks import MINUTE, Counters, Lake, Table, Topic
from functions.core.slice import Slice
from functions.core.stops import resumed
from tests.unit.core import clicks
from tests.unit.core.clicks import KEY, SINKS, Click, click, pipeline, slice_of

SOURCE = Source("clicks", "click", 0)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stores_of(**changes: Any) -> Any:
    return memory_stores(pipeline(**changes), lambda: NOW)


class Dead(MemoryError):  # noqa: N818
    """The end of a process: of all errors in the pipeline's code only this kind is not the record's."""


class Process:
    """A process that ends when it evaluates a click of the user "lethal"; `evaluated` counts calls of `process`."""

    def __init__(self) -> None:
        self.evaluated = 0

    def __call__(self, event: Click) -> Any:
        self.evaluated += 1
        if event.user == "lethal":
            raise Dead
        return clicks.process(event)


def restarts_until_settled(stores: Any, slice_: Slice, limit: int = 20) -> tuple[int, Settled]:
    for restart in range(limit):
        settler = Settler(pipeline(process=Process()), stores, KEY, f"process-{restart}")
        try:
            return restart, settler.settle(slice_)
        except Dead:
            continue
    raise AssertionError("never settled")


@pytest.mark.parametrize("index", [0, 17, 5_000, 9_999])
def test_a_lethal_record_of_a_full_slice_is_set_aside_after_six_restarts(index: int) -> None:
    stores = stores_of()
    values = [click(f"u{number % 7}") for number in range(10_000)]
    values[index] = click("lethal")
    restarts, _ = restarts_until_settled(stores, slice_of(*values))
    assert restarts <= 6
    ((_, letter),) = stores.dead_letters.letters.items()
    assert (letter.offset, letter.reason, letter.value) == (index, Reason.LETHAL, values[index].encode())
    assert sum(len(intent.rows) for intent in stores.lake.objects.values()) == 9_999
    assert sum(stores.ledger.counters.values()) == 9_999
    assert stores.ledger.positions[SOURCE].suspect is None


def test_a_single_lethal_record_is_set_aside_after_three_restarts() -> None:
    stores = stores_of()
    restarts, settled = restarts_until_settled(stores, slice_of(click("lethal")))
    assert (restarts, settled.rejected) == (3, {Reason.LETHAL: 1})


class Throttled(MemoryTable):
    """Takes two rows a call."""

    def put(self, candidates: Sequence[Newest]) -> Sequence[Refusal]:
        super().put(candidates[:2])
        if len(candidates) > 2:
            raise Incomplete("throttled", candidates[2:])
        return ()


class CountingTopic(MemoryTopic):
    """A topic that accepts everything."""


def test_an_outage_suspects_nothing() -> None:
    stores = stores_of()
    throttled = replace(stores, tables={"last-click": Throttled()})
    settlement = Settler(pipeline(), throttled, KEY, "first").begin(slice_of(*[click(f"u{n}") for n in range(5)]))
    for _ in range(2):
        with pytest.raises(Unavailable):
            settlement.run()
    assert stores.ledger.positions[SOURCE].owner is None
    assert Settler(pipeline(), stores, KEY, "second").settle(slice_of(click("u0"))).next == 5
    assert stores.ledger.positions[SOURCE].suspect is None


def test_a_retry_repeats_nothing_that_succeeded() -> None:
    table, process = Throttled(), Process()
    stores = replace(stores_of(), tables={"last-click": table})
    settlement = Settler(pipeline(process=process), stores, KEY).begin(slice_of(*[click(f"u{n}") for n in range(5)]))
    attempts = 0
    while True:
        try:
            settled = settlement.run()
            break
        except Unavailable:
            attempts += 1
    assert (attempts, process.evaluated) == (2, 5)
    assert (settled.records, settled.rows, settled.already_settled, settled.adopted) == (5, 5, 0, 0)
    assert len(table.rows) == len(stores.topics["clicked"].messages) == 5


def test_without_a_lake_each_record_is_evaluated_once() -> None:
    process = Process()
    stores = stores_of(sinks=SINKS[1:])
    stores.ledger.counts_per_advance = 3
    values = [click("u", 60 * n) for n in range(400)]
    settled = Settler(pipeline(process=process, sinks=SINKS[1:]), stores, KEY).settle(slice_of(*values))
    assert (settled.records, process.evaluated, len(stores.ledger.counters)) == (400, 400, 400)


def test_only_one_suspect_of_a_process_is_settled_at_a_time() -> None:
    stores = stores_of()
    with pytest.raises(Dead):
        Settler(pipeline(process=Process()), stores, KEY, "first").settle(slice_of(click("lethal"), click()))

    class Taken:
        def acquire(self, blocking: bool = True) -> bool:  # noqa: FBT001, FBT002
            assert not blocking
            return False

        def release(self) -> None:
            raise AssertionError

    settlement = Settler(pipeline(), stores, KEY, "second", Taken()).begin(slice_of(click("u"), click()))
    for _ in range(2):
        with pytest.raises(Busy):
            settlement.run()
    assert stores.ledger.positions[SOURCE].owner is None


def test_overlapping_writers_that_return_are_not_held_against_a_record() -> None:
    """Two processes retry the same record during an outage: each finds the other's open attempt."""
    stores = stores_of()

    class Down(MemoryTable):
        def put(self, _: Sequence[Newest]) -> Sequence[Refusal]:
            raise Unavailable("throttled")

    class Unreleased(type(stores.ledger)):  # type: ignore[misc]
        def release(self, *_: Any) -> None:
            raise Unavailable("throttled")

    ledger: Any = Unreleased()
    shared = replace(stores, ledger=ledger, tables={"last-click": Down()})
    settlements = [Settler(pipeline(), shared, KEY, owner).begin(slice_of(click())) for owner in ("first", "second")]
    for settlement in settlements * 4:
        with pytest.raises(Unavailable):
            settlement.run()
    assert len(ledger.positions[SOURCE].suspect.alone) < 2
    assert not stores.dead_letters.letters


def test_an_attempt_at_another_record_is_not_held_against_the_next() -> None:
    """After the mapping gave up on a lethal record, the batch behind it begins at the same position."""
    stores = stores_of()
    for number in range(3):
        with pytest.raises(Dead):
            Settler(pipeline(process=Process()), stores, KEY, f"process-{number}").settle(slice_of(click("lethal")))
    settled = Settler(pipeline(), stores, KEY, "last").settle(slice_of(click(), start=1))
    assert (settled.rows, settled.rejected) == (1, {})


def test_a_suspect_slice_without_a_lake_is_evaluated_once_by_a_process() -> None:
    process = Process()
    stores = stores_of(sinks=SINKS[1:])
    stores.ledger.counts_per_advance = 1
    slice_ = slice_of(*[click("u", 60 * n) for n in range(64)])
    with pytest.raises(Dead):
        Settler(pipeline(process=Process(), sinks=SINKS[1:]), stores, KEY, "first").settle(
            slice_of(*[click("u")] * 63, click("lethal"))
        )
    Settler(pipeline(process=process, sinks=SINKS[1:]), stores, KEY, "second").settle(slice_)
    assert (process.evaluated, len(stores.ledger.counters)) == (64, 64)


def test_an_unknown_error_narrows_like_a_dead_process() -> None:
    stores, bug = stores_of(), "tests.unit.core"
    settler = Settler(pipeline(process=lambda _: (_ for _ in ()).throw(MemoryError(bug))), stores, KEY)
    for _ in range(4):
        try:
            settler.settle(slice_of(click()))
        except MemoryError:
            continue
    assert [letter.reason for letter in stores.dead_letters.letters.values()] == [Reason.LETHAL]


def test_a_flood_is_a_durable_stop() -> None:
    limits = Limits(flood=FloodLimit(0.5, 4))
    stores, flood = stores_of(limits=limits), slice_of("{", "{", "{", click())
    with pytest.raises(Flood, match="3 of the last 4"):
        Settler(pipeline(limits=limits), stores, KEY, "first").settle(flood)
    stop = stores.ledger.positions[SOURCE].stop
    assert (stop.reason, stop.first, stop.last) == (StopReason.FLOOD, 0, 3)
    with pytest.raises(Flood, match="until an operator resumes it"):
        Settler(pipeline(limits=Limits(flood=FloodLimit(1.0, 4))), stores, KEY, "second").settle(
            slice_of(click(), start=9)
        )
    assert not stores.dead_letters.letters
    stores.ledger.positions[SOURCE] = replace(stores.ledger.positions[SOURCE], stop=None, accepted=stop.last)
    assert Settler(pipeline(limits=limits), stores, KEY, "third").settle(flood).next == 4


def test_the_flood_window_survives_restarts() -> None:
    limits, floods = Limits(flood=FloodLimit(0.5, 1000)), 0
    stores = stores_of(limits=limits)
    for start in range(0, 18_900, 90):
        try:
            Settler(pipeline(limits=limits), stores, KEY, f"process-{start}").settle(slice_of(*["{"] * 90, start=start))
        except Flood:
            floods += 1
    assert len(stores.dead_letters.letters) < 1000
    assert floods > 190
    assert len(stores.ledger.positions[SOURCE].window) <= 17


def test_a_recreated_topic_is_a_durable_stop() -> None:
    stores = stores_of()
    Settler(pipeline(), stores, KEY).settle(slice_of(*[click()] * 10, time=1_000))
    with pytest.raises(OffsetsWentBack):
        Settler(pipeline(), stores, KEY).settle(slice_of(click(), time=50_000))
    with pytest.raises(OffsetsWentBack, match="until an operator"):
        Settler(pipeline(), stores, KEY, "another").settle(slice_of(click(), start=10, time=60_000))


def test_one_record_from_the_future_does_not_hide_a_recreated_topic() -> None:
    stores, year_2100 = stores_of(), 4_102_444_800_000
    Settler(pipeline(), stores, KEY).settle(slice_of(click(), click(), time=year_2100))
    Settler(pipeline(), stores, KEY).settle(slice_of(click(), start=2, time=1_000))
    with pytest.raises(OffsetsWentBack):
        Settler(pipeline(), stores, KEY).settle(slice_of(click(), time=50_000))


def test_a_record_from_the_future_that_is_delivered_again_stops_nothing() -> None:
    stores, now = stores_of(), NOW
    milliseconds = int(NOW.timestamp() * 1000)
    records = slice_of(*[click()] * 3, time=milliseconds)
    records = replace(records, timestamps=[milliseconds, milliseconds + 24 * 3_600_000 + 60_000, milliseconds])
    Settler(pipeline(), replace(stores, now=lambda: now), KEY).settle(records)
    now += timedelta(minutes=2)  # now the record is less than a day ahead
    again = Settler(pipeline(), replace(stores, now=lambda: now), KEY).settle(records)
    assert (again.next, again.already_settled) == (3, 3)


def test_a_stop_that_cannot_be_recorded_is_a_retry() -> None:
    stores = stores_of(limits=Limits(flood=FloodLimit(0.5, 1)))

    class Down(type(stores.ledger)):  # type: ignore[misc]
        def stop(self, *_: Any) -> None:
            raise Unavailable("down")

    settler = Settler(pipeline(limits=Limits(flood=FloodLimit(0.5, 1))), replace(stores, ledger=Down()), KEY)
    with pytest.raises(Unavailable):
        settler.settle(slice_of("{"))


def test_records_of_another_topic_are_refused() -> None:
    other = replace(slice_of(click()), topic="another")
    with pytest.raises(Refused, match="expected records of topic 'click'"):
        Settler(pipeline(), stores_of(), KEY).settle(other)


class Renamed(BaseModel):
    """The row model of another release: no field of the first one."""

    name: str
    seen: datetime


def released(event: Click) -> Renamed:
    return Renamed(name=event.user, seen=datetime.fromtimestamp(event.at, UTC))


RELEASES: list[dict[str, Any]] = [
    {"sinks": (*SINKS, Counters("clicks-per-hour", by=("user",), every=60 * MINUTE, at="at"))},
    {"sinks": (SINKS[0], *SINKS[2:])},
    {"sinks": (SINKS[0], Counters("clicks-per-minute", by=("user", "page"), every=30, at="at"), *SINKS[2:])},
    {"sinks": SINKS[1:]},
    {"sinks": SINKS[:2]},
    {
        "row": Renamed,
        "process": released,
        "sinks": (
            Lake(), Counters("per-name", by=("name",), every=MINUTE, at="seen"), Table("last-click", "name", "seen"),
            Topic("clicked", key="name"), Topic("more", key="name"),
        ),
    },
]  # fmt: skip


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("dies_at", ["table", "topic", "second transaction"])
@pytest.mark.parametrize("order", [1, -1])
def test_another_release_rolls_a_slice_forward_as_it_was_meant(release: Any, dies_at: str, order: int) -> None:
    """The first release dies in mid-slice; the effects are those that it would have had."""
    first, second = [{}, release][::order]
    slice_ = slice_of(*[click(f"u{n}", 60 * n) for n in range(6)])
    due = settled_alone(first, slice_)
    stores = all_stores(first, second)
    with pytest.raises(Dead):
        Settler(pipeline(**first), dying(stores, dies_at), KEY, "first").settle(slice_)
    Settler(pipeline(**second), stores, KEY, "second").settle(slice_)
    assert stores.ledger.counters == due.ledger.counters
    if due.lake.objects:
        assert [intent.rows for intent in stores.lake.objects.values()] == [i.rows for i in due.lake.objects.values()]
    else:  # only what the first release had opened has no object
        assert min(intent.cover.next for intent in stores.lake.objects.values()) > 0
    kept = {sink.name for sink in pipeline(**first).topics} & {sink.name for sink in pipeline(**second).topics}
    for name in kept:
        assert {message.value for message in stores.topics[name].messages} == {
            m.value for m in due.topics[name].messages
        }


def settled_alone(release: Any, slice_: Slice) -> Any:
    stores = stores_of(**release)
    stores.ledger.counts_per_advance = 98 if not pipeline(**release).has_lake else 2
    Settler(pipeline(**release), stores, KEY).settle(slice_)
    return stores


def all_stores(*releases: Any) -> Any:
    """The stores of both releases: a resource outlives the release that declared it."""
    first, second = (stores_of(**release) for release in releases)
    has_lake = all(pipeline(**release).has_lake for release in releases)
    first.ledger.counts_per_advance = 2 if has_lake else 98
    return replace(first, tables=second.tables | first.tables, topics=second.topics | first.topics)


def dying(stores: Stores, place: str) -> Stores:
    """The same stores for a process that ends at a place; without that place, at the first transaction."""

    def die(*_: Any) -> Any:
        raise Dead

    class Ledger(type(stores.ledger)):  # type: ignore[misc]
        calls = 0

        def advance(self, source: Any, position: Any, target: Any, counts: Any, gap: Any) -> bool:
            self.calls += 1
            if place != "second transaction" or self.calls == 2 or target.day is None:
                raise Dead
            return bool(super().advance(source, position, target, counts, gap))

    ledger: Any = Ledger(stores.ledger.counts_per_advance, stores.ledger.positions, stores.ledger.counters)  # type: ignore[attr-defined]
    dead = type("DeadStore", (), {"put": die, "send": die})()
    changes: dict[str, Any] = {
        "table": {"tables": dict.fromkeys(stores.tables, dead)},
        "topic": {"topics": dict.fromkeys(stores.topics, dead)},
    }
    return replace(stores, ledger=ledger, **changes.get(place, {}))


def test_an_object_that_disappeared_is_a_durable_stop() -> None:
    stores = stores_of()

    class Forgetful(MemoryLake):
        def put(self, *_: Any) -> bool:
            return False

    with pytest.raises(Corrupt, match="disappeared"):
        Settler(pipeline(), replace(stores, lake=Forgetful()), KEY).settle(slice_of(click()))
    assert stores.ledger.positions[SOURCE].stop.reason is StopReason.CORRUPT


class Picky(MemoryTable):
    """Refuses the rows of one user."""

    def put(self, candidates: Sequence[Newest]) -> Sequence[Refusal]:
        super().put([row for row in candidates if row.key != ("bad",)])
        return [Refusal(index, "item too large") for index, row in enumerate(candidates) if row.key == ("bad",)]


class PickyTopic(MemoryTopic):
    """Refuses the rows of one user."""

    def send(self, messages: Sequence[Message]) -> Sequence[Refusal]:
        super().send([message for message in messages if message.key != b"bad"])
        return [Refusal(index, "too large") for index, message in enumerate(messages) if message.key == b"bad"]


def test_a_row_that_a_sink_refuses_becomes_a_dead_letter_and_the_slice_goes_on() -> None:
    stores = replace(stores_of(), tables={"last-click": Picky()}, topics={"clicked": PickyTopic()})
    settled = Settler(pipeline(), stores, KEY).settle(slice_of(click("a"), click("bad"), click("b")))
    assert (settled.next, settled.rows, settled.rejected) == (3, 3, {Reason.REFUSED: 2})
    (letter,) = stores.dead_letters.letters.values()
    assert (letter.offset, letter.reason) == (1, Reason.REFUSED)
    assert letter.detail == "table 'last-click': item too large; topic 'clicked': too large"
    assert letter.value == click("bad").encode()


def test_a_retry_stores_only_the_letters_of_refused_rows_that_are_missing() -> None:
    stored: list[int] = []

    class OneByOne(MemoryDeadLetters):
        def store(self, letters: Sequence[DeadLetter]) -> None:
            stored.append(letters[0].offset)
            super().store(letters[:1])
            if letters[1:]:
                raise Incomplete("throttled", letters[1:])

    stores = replace(stores_of(), topics={"clicked": PickyTopic()}, dead_letters=OneByOne())
    settlement = Settler(pipeline(), stores, KEY).begin(slice_of(click("bad"), click("bad"), click("bad")))
    for _ in range(2):
        with pytest.raises(Unavailable):
            settlement.run()
    assert settlement.run().rejected == {Reason.REFUSED: 3}
    assert stored == [0, 1, 2]


def test_the_letter_of_an_adopted_row_that_is_not_at_hand_holds_the_row() -> None:
    stores = stores_of()
    with pytest.raises(Dead):
        Settler(pipeline(), dying(stores, "table"), KEY, "first").settle(slice_of(click("a"), click("bad")))
    picky = replace(stores, tables={"last-click": Picky()})
    Settler(pipeline(), picky, KEY, "second").settle(slice_of(click("a")))
    (letter,) = stores.dead_letters.letters.values()
    assert (letter.offset, letter.key) == (1, None)
    assert b'"user":"bad"' in (letter.value or b"")


def test_days_are_fixed_by_the_first_writer() -> None:
    stores = stores_of()
    position, _ = stores.ledger.open(SOURCE, 0, 0, Opening(date(2025, 1, 1), has_object=True, owner="a"))
    assert position.day == date(2025, 1, 1)


def test_a_process_that_loses_the_race_to_narrow_opens_again_and_settles() -> None:
    """Between its open and its narrowing, a third process becomes the owner."""
    stores, slice_ = stores_of(), slice_of(*[click()] * 40)
    stores.ledger.open(SOURCE, 0, 39, Opening(NOW.date(), has_object=True, owner="ended"))
    results: list[bool] = []

    class Contended(type(stores.ledger)):  # type: ignore[misc]
        def narrow(self, source: Any, position: Any, suspect: Any) -> bool:
            if not results:
                super().open(source, 0, 39, Opening(NOW.date(), has_object=True, owner="third"))
            results.append(bool(super().narrow(source, position, suspect)))
            return results[-1]

    ledger: Any = Contended(98, stores.ledger.positions, stores.ledger.counters)
    settled = Settler(pipeline(), replace(stores, ledger=ledger), KEY, "mine").settle(slice_)
    assert results[0] is False
    assert any(results)
    assert (settled.next, settled.records) == (40, 40)
    assert sum(ledger.counters.values()) == 40


def test_a_resumed_recreated_topic_is_learned_by_its_new_id() -> None:
    stop = DurableStop(StopReason.OFFSETS_WENT_BACK, "why", 0, 1, 7, 50)
    stopped = Position(10, 0, None, 20, stop=stop, topic_id="old")
    assert resumed(stopped, stop) == Position(10, 0, None, 50)
    flood = replace(stop, reason=StopReason.FLOOD)
    assert resumed(replace(stopped, stop=flood), flood).topic_id == "old"


def test_the_order_of_a_table_does_not_depend_on_how_records_are_cut() -> None:
    """A reject with a newer timestamp between two rows may be in their slice, or in one before."""
    sinks = (SINKS[0], Table("last-click", key="user"))
    values = [click("a"), "{", click("a")]
    orders = []
    for cuts in ([0, 3], [0, 1, 2, 3]):
        stores = stores_of(sinks=sinks)
        for first, last in pairwise(cuts):
            part = slice_of(*values[first:last], start=first)
            times = [1_000, 9_000, 2_000][first:last]
            Settler(pipeline(sinks=sinks), stores, KEY).settle(replace(part, timestamps=times))
        orders.append(stores.tables["last-click"].rows["a",].order)
        assert stores.ledger.positions[SOURCE].newest == 9_000
    assert orders[0] == orders[1]


class Wide(BaseModel):
    number: int
    at: datetime


def test_a_record_that_began_without_an_object_counts_once_whatever_releases_settle_it() -> None:
    """A release with a lake settles what one without a lake has opened: its counts must fit one transaction."""

    def released(*sinks: Any) -> Any:
        wide = [Wide(number=number, at=NOW) for number in range(150)]
        return pipeline(row=Wide, process=lambda _: wide, sinks=(*sinks, Counters("wide", ("number",), MINUTE, "at")))

    stores = stores_of()
    stores.ledger.open(SOURCE, 0, 0, Opening(NOW.date(), has_object=False, owner="without"))
    stores.ledger.release(SOURCE, "without")
    with suppress(Dead):
        Settler(released(Lake()), dying(stores, "second transaction"), KEY, "second").settle(slice_of(click()))
    third = released(Lake(), Counters("another", ("number",), MINUTE, "at"))
    settled = Settler(third, stores, KEY, "third").settle(slice_of(click()))
    assert settled.next == 1
    assert sum(stores.ledger.counters.values()) == 0
    assert [letter.reason for letter in stores.dead_letters.letters.values()] == [Reason.UNSTORABLE]
