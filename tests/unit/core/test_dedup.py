"""Dedup: one record per event has effects, whichever slices, runtimes, crashes and redrives bring its repeats."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from functions.adapters.memory import MemorySeen, memory_stores
from functions.core.dead_letter import Reason
from functions.core.dedup import Dedup, SeenEvent, repeated_offsets
from functions.core.errors import InvalidPipeline, Reject, Unavailable
from functions.core.pipeline import AnyPipeline, Pipeline
from functions.core.record_place import RecordPlace
from functions.core.redrive import redrive_headers
from functions.core.settle import Settled, Settler
from functions.core.sinks import HOUR, Counters, Lake
from functions.core.slice import Slice
from tests.unit.core.clicks import KEY

NOW = datetime(2026, 1, 10, tzinfo=UTC)
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000
HOUR_MS = HOUR * 1000


class Measurement(BaseModel):
    event_id: str | None
    value: int


class Stored(BaseModel):
    value: int
    at: datetime


def process(measurement: Measurement) -> Stored | None:
    if measurement.value < 0:
        raise Reject("below zero")
    return None if measurement.value == 0 else Stored(value=measurement.value, at=NOW)


def pipeline(**changes: Any) -> AnyPipeline:
    declared: dict[str, Any] = {
        "name": "telemetry", "topic": "measured", "event": Measurement, "row": Stored, "process": process,
        "sinks": (Lake(), Counters("measured", by=(), every=HOUR, at="at")),
        "dedup": Dedup(by="event_id", within=timedelta(hours=24)),
    }  # fmt: skip
    return Pipeline(**(declared | changes))


def slice_of(*events: tuple[str | None, int], start: int = 0, partition: int = 0, hours: float = 0.0) -> Slice:
    n = len(events)
    values = [Measurement(event_id=event_id, value=value).model_dump_json().encode() for event_id, value in events]
    offsets = list(range(start, start + n))
    times = [START + int(hours * HOUR_MS)] * n
    return Slice("measured", partition, start, start + n - 1, offsets, times, [None] * n, values, [()] * n)


class World:
    def __init__(self, **changes: Any) -> None:
        self.declared = pipeline(**changes)
        self.stores: Any = memory_stores(self.declared, lambda: NOW)

    def settle(self, slice_: Slice, owner: str = "one") -> Settled:
        return Settler(self.declared, self.stores, KEY, owner).settle(slice_)

    @property
    def counted(self) -> int:
        return sum(self.stores.ledger.counters.values())


def test_a_repeated_event_has_effects_once_and_is_counted_and_dropped() -> None:
    world = World()
    settled = world.settle(slice_of(("a", 1), ("b", 2), ("a", 3), ("a", 4), ("c", 0)))
    assert (settled.records, settled.rows, settled.repeated, settled.dropped) == (5, 2, 2, 1)
    again = world.settle(slice_of(("b", 5), ("d", 6), start=5))
    assert (again.rows, again.repeated) == (1, 1)
    elsewhere = world.settle(slice_of(("a", 7), ("e", 8), partition=1))
    assert (elsewhere.rows, elsewhere.repeated) == (1, 1)
    values = [intent.rows.columns["value"] for intent in world.stores.lake.objects.values()]
    assert values == [[1, 2], [6], [8]]
    assert world.counted == 4


def test_after_the_time_an_event_may_come_again() -> None:
    world = World()
    world.settle(slice_of(("a", 1)))
    assert world.settle(slice_of(("a", 2), start=1, hours=24)).repeated == 1
    assert world.settle(slice_of(("a", 3), start=2, hours=24.1)).repeated == 0
    assert world.settle(slice_of(("a", 4), start=3, hours=30)).repeated == 1
    late = world.settle(slice_of(("a", 5), partition=1, hours=0))
    assert late.repeated == 1, "the first claim still decides about records of its time"


def test_what_has_no_effect_claims_nothing() -> None:
    world = World()
    world.settle(slice_of(("a", -1), ("b", 0), (None, 1), (None, 2)))
    settled = world.settle(slice_of(("a", 3), ("b", 4), start=4))
    assert (settled.rows, settled.repeated) == (2, 0)
    assert world.counted == 4


def test_a_replay_decides_alike() -> None:
    """A writer claims and dies before its object; the next one, on the other runtime, keeps the same records."""
    world, slice_ = World(), slice_of(("a", 1), ("a", 2), ("b", 3))

    class Dead(MemoryError):  # noqa: N818
        pass

    class Lake_(type(world.stores.lake)):  # type: ignore[misc] # noqa: N801
        def put(self, *_: Any) -> bool:
            raise Dead

    with pytest.raises(Dead):
        Settler(world.declared, replace(world.stores, lake=Lake_()), KEY, "first").settle(slice_)
    world.settle(slice_, "second")
    rows = [row for intent in world.stores.lake.objects.values() for row in intent.rows.columns["value"]]
    assert rows == [1, 3]


def test_a_store_that_is_away_is_retried_and_evaluates_once() -> None:
    world = World()

    class Away(MemorySeen):
        calls = 0

        def claim(self, *arguments: Any) -> Any:
            self.calls += 1
            if self.calls < 3:
                raise Unavailable("seen")
            return super().claim(*arguments)

    settlement = Settler(world.declared, replace(world.stores, seen=Away()), KEY).begin(slice_of(("a", 1), ("a", 2)))
    for _ in range(2):
        with pytest.raises(Unavailable):
            settlement.run()
    assert settlement.run().repeated == 1
    assert settlement.evaluations == 1


def test_a_redriven_record_is_the_one_that_it_repeats() -> None:
    """A batch claimed its events and was given up; its records come again at other offsets."""
    world = World()
    lost = slice_of(("a", 1))
    world.settle(lost)
    key = next(iter(world.stores.seen.claims))
    world.stores.seen.claims[key] = [SeenEvent(key, RecordPlace("measured", 0, 77), START)]
    redriven = replace(
        slice_of(("a", 1), start=90), headers=[tuple(redrive_headers((), RecordPlace("measured", 0, 77), 1))]
    )
    assert world.settle(redriven).repeated == 0
    assert world.settle(slice_of(("a", 1), start=91)).repeated == 1


def test_a_record_that_is_redriven_twice_is_still_the_first_one() -> None:
    """Its event was claimed by a batch that was given up, and so was the batch of the first redrive."""
    world = World()
    first, second = RecordPlace("measured", 0, 77), RecordPlace("measured", 0, 80)
    world.settle(slice_of(("a", 1)))
    key = next(iter(world.stores.seen.claims))
    world.stores.seen.claims[key] = [SeenEvent(key, first, START)]
    headers = redrive_headers(redrive_headers((), first, 1), second, 1)
    redriven = replace(slice_of(("a", 1), start=90), headers=[tuple(headers)])
    settled = world.settle(redriven)
    assert (settled.rows, settled.repeated) == (1, 0)


class Odd(BaseModel):
    event_id: list[int]


def test_what_cannot_identify_an_event_is_its_records_reject() -> None:
    declared = pipeline(event=Odd, process=lambda _: Stored(value=1, at=NOW))
    stores: Any = memory_stores(declared, lambda: NOW)
    records = replace(slice_of(("a", 1)), values=[b'{"event_id": [1]}'])
    Settler(declared, stores, KEY).settle(records)
    ((letter),) = stores.dead_letters.letters.values()
    assert (letter.reason, "expected text, an integer or a UUID" in letter.detail) == (Reason.FAILED, True)


@pytest.mark.parametrize(
    ("dedup", "problem"),
    [
        (Dedup("nope", timedelta(hours=1)), "dedup by: the event has no field 'nope', its fields are event_id, value"),
        (Dedup("event_id", timedelta()), "dedup within: expected a second or more"),
    ],
)
def test_a_dedup_that_cannot_work_is_refused(dedup: Dedup, problem: str) -> None:
    with pytest.raises(InvalidPipeline, match=problem):
        pipeline(dedup=dedup)


EVENTS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60)), min_size=1, max_size=14)


@given(EVENTS, st.lists(st.integers(1, 14), max_size=3))
def test_slices_of_any_length_decide_alike(events: list[tuple[str, int]], cuts: list[int]) -> None:
    """Records that come in order: each is kept unless the last one kept of its event is less than a day older."""
    records = {
        offset: SeenEvent(key, RecordPlace("t", 0, offset), hours * HOUR_MS)
        for offset, (key, hours) in enumerate((key, hours) for key, hours in sorted(events, key=lambda event: event[1]))
    }
    seen, repeated = MemorySeen(), set[int]()
    bounds = sorted({0, len(records), *(cut for cut in cuts if cut < len(records))})
    for first, last in pairwise(bounds):
        part = {offset: event for offset, event in records.items() if first <= offset < last}
        for _ in range(2):  # a replay changes nothing
            found = repeated_offsets(part, seen.claim, 24 * HOUR_MS)
        repeated |= found
    expected, kept = set[int](), dict[str, SeenEvent]()
    for offset, event in records.items():
        if event.key in kept and event.time - kept[event.key].time <= 24 * HOUR_MS:
            expected.add(offset)
        else:
            kept[event.key] = event
    assert repeated == expected
