"""The ledger: who opens, narrows, stops and advances a position, and what each leaves alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.adapters.memory import MemoryLedger
from functions.core.effects import Count
from functions.core.intent import Gap
from functions.core.ports import DurableStop, Ledger, Opening, Position, Source, StopReason, Suspect
from tests.contracts.race import RACERS, raced
from tests.contracts.twins import Ledgers, fresh

TODAY, TOMORROW = date(2026, 11, 23), date(2026, 11, 24)
MAX_OFFSET: Final = 2**63 - 1
LONG: Final = "page=" + "%C3%A9" * 3000
MINE = Opening(TODAY, has_object=True, owner="me")
THEIRS = Opening(TOMORROW, has_object=False, owner="them")
OPENED = Position(7, 0, TODAY, -1, has_object=True, owner="me")
STOP = DurableStop(StopReason.FLOOD, "100 of the last 100 records: \u00e9\n", 7, 9, 1_764_000_000_000, 5)
OTHER_STOP = DurableStop(StopReason.CORRUPT, "another", 8, 8, 1)


def opened(ledger: Ledger, source: Source, first: int = 7, last: int = 9, opening: Opening = MINE) -> Position:
    return ledger.open(source, first, last, opening)[0]


def advanced(ledger: Ledger, source: Source, first: int, target: Position, gap: Gap | None = None) -> None:
    assert ledger.advance(source, opened(ledger, source, first, target.next), target, [], gap)


def test_a_ledger_is_empty_before_it_is_opened(ledgers: Ledgers, source: Source) -> None:
    assert ledgers.ledger.read(source) is None
    assert list(ledgers.gaps(source)) == []


def test_begin_creates_the_item_once(ledgers: Ledgers, source: Source) -> None:
    assert ledgers.ledger.begin(source, 7, None) == Position(7, 0, None, -1)
    assert ledgers.ledger.begin(source, 900, None) == Position(7, 0, None, -1)
    assert ledgers.ledger.read(source) == Position(7, 0, None, -1)


def test_begin_records_the_topics_id_once(ledgers: Ledgers, source: Source) -> None:
    ledgers.ledger.begin(source, 7, None)
    for topic_id in ("AAAA-id_1", "another", None):
        assert ledgers.ledger.begin(source, 7, topic_id) == Position(7, 0, None, -1, topic_id="AAAA-id_1")
    assert ledgers.ledger.read(source) == Position(7, 0, None, -1, topic_id="AAAA-id_1")


def test_begin_changes_nothing_of_a_position(ledgers: Ledgers, source: Source) -> None:
    position = opened(ledgers.ledger, source)
    assert ledgers.ledger.narrow(source, position, Suspect(9, 3))
    ledgers.ledger.stop(source, STOP)
    stopped = replace(position, suspect=Suspect(9, 3), stop=STOP)
    assert ledgers.ledger.begin(source, 0, "id") == replace(stopped, topic_id="id")


def test_open_goes_on_where_begin_was(ledgers: Ledgers, source: Source) -> None:
    ledgers.ledger.begin(source, 5, "id")
    due = Position(5, 0, TODAY, -1, has_object=True, owner="me", topic_id="id")
    assert ledgers.ledger.open(source, 7, 9, MINE) == (due, None)
    assert ledgers.ledger.read(source) == due


def test_open_creates_the_item_at_the_start_of_the_slice(ledgers: Ledgers, source: Source) -> None:
    assert ledgers.ledger.open(source, 7, 9, MINE) == (OPENED, None)
    assert ledgers.ledger.read(source) == OPENED


def test_the_day_and_whether_there_is_an_object_are_fixed_once(ledgers: Ledgers, source: Source) -> None:
    opened(ledgers.ledger, source)
    for first, last in ((7, 9), (8, 20)):
        assert opened(ledgers.ledger, source, first, last, THEIRS) == replace(OPENED, owner="them")
    assert ledgers.ledger.read(source) == replace(OPENED, owner="them")


def test_that_there_is_no_object_is_fixed_too(ledgers: Ledgers, source: Source) -> None:
    assert opened(ledgers.ledger, source, opening=THEIRS).has_object is False
    assert opened(ledgers.ledger, source, opening=MINE) == replace(OPENED, day=TOMORROW, has_object=False)


def test_open_returns_the_owner_before(ledgers: Ledgers, source: Source) -> None:
    owners = [ledgers.ledger.open(source, 7, 9, opening) for opening in (MINE, MINE, THEIRS, MINE)]
    assert [(position.owner, before) for position, before in owners] == [
        ("me", None), ("me", "me"), ("them", "me"), ("me", "them"),
    ]  # fmt: skip


def test_open_beyond_the_slice_returns_the_position_and_changes_nothing(ledgers: Ledgers, source: Source) -> None:
    end = Position(10, 0, None, 5)
    advanced(ledgers.ledger, source, 7, end)
    assert ledgers.ledger.open(source, 7, 9, THEIRS) == (end, None)
    assert ledgers.ledger.read(source) == end
    assert opened(ledgers.ledger, source, 10, 10) == replace(end, day=TODAY, has_object=True, owner="me")
    assert ledgers.ledger.open(source, 7, 9, THEIRS) == (replace(end, day=TODAY, has_object=True, owner="me"), "me")


def test_a_stopped_position_is_returned_and_not_changed(ledgers: Ledgers, source: Source) -> None:
    position = opened(ledgers.ledger, source)
    ledgers.ledger.stop(source, STOP)
    stopped = replace(position, stop=STOP)
    assert ledgers.ledger.open(source, 7, 9, THEIRS) == (stopped, "me")
    assert ledgers.ledger.open(source, 0, 3, THEIRS) == (stopped, "me")
    assert ledgers.ledger.read(source) == stopped


def test_a_stop_at_a_position_that_was_never_opened_prevents_its_opening(ledgers: Ledgers, source: Source) -> None:
    ledgers.ledger.begin(source, 7, None)
    ledgers.ledger.stop(source, STOP)
    stopped = Position(7, 0, None, -1, stop=STOP)
    assert ledgers.ledger.open(source, 7, 9, MINE) == (stopped, None)
    assert ledgers.ledger.read(source) == stopped


@pytest.mark.parametrize("reason", StopReason)
def test_the_first_stop_stays(ledgers: Ledgers, source: Source, reason: StopReason) -> None:
    position, first = opened(ledgers.ledger, source), replace(STOP, reason=reason, newest=-1, last=MAX_OFFSET)
    ledgers.ledger.stop(source, first)
    ledgers.ledger.stop(source, OTHER_STOP)
    assert ledgers.ledger.read(source) == replace(position, stop=first)


def test_a_stop_without_a_position_does_nothing(ledgers: Ledgers, source: Source) -> None:
    ledgers.ledger.stop(source, STOP)
    assert ledgers.ledger.read(source) is None
    assert opened(ledgers.ledger, source) == OPENED


def test_a_stopped_position_does_not_advance(ledgers: Ledgers, source: Source, name: str) -> None:
    position = opened(ledgers.ledger, source)
    ledgers.ledger.stop(source, STOP)
    stopped = replace(position, stop=STOP)
    for target in (replace(position, step=1), Position(10, 0, None, 5)):
        assert not ledgers.ledger.advance(source, position, target, [Count(name, "", 60, 2)], Gap(7, 8))
        assert not ledgers.ledger.advance(source, stopped, target, [Count(name, "", 60, 2)], None)
    assert ledgers.ledger.read(source) == stopped
    assert ledgers.counted(name) == {}
    assert list(ledgers.gaps(source)) == []


def test_narrow_records_a_suspect_and_nothing_else(ledgers: Ledgers, source: Source) -> None:
    position = opened(ledgers.ledger, source)
    for suspect in (Suspect(900, 57), Suspect(MAX_OFFSET, 1, alone=("me", "other"))):
        assert ledgers.ledger.narrow(source, position, suspect)
        assert ledgers.ledger.read(source) == replace(position, suspect=suspect)
    assert ledgers.ledger.open(source, 7, 9, THEIRS)[0].suspect == Suspect(MAX_OFFSET, 1, alone=("me", "other"))


@pytest.mark.parametrize(
    "position", [replace(OPENED, owner="them"), replace(OPENED, next=6), replace(OPENED, next=8, owner="them")]
)
def test_narrow_at_another_position_or_of_another_owner_does_nothing(
    ledgers: Ledgers, source: Source, position: Position
) -> None:
    opened(ledgers.ledger, source)
    assert not ledgers.ledger.narrow(source, position, Suspect(9, 3))
    assert ledgers.ledger.read(source) == OPENED


@pytest.mark.parametrize("owner", [None, "None"])
def test_narrow_without_an_owner_is_refused_like_that_of_another_one(
    ledgers: Ledgers, source: Source, owner: str | None
) -> None:
    ledgers.ledger.begin(source, 7, None)
    assert not ledgers.ledger.narrow(source, Position(7, 0, None, -1, owner=owner), Suspect(9, 3))
    assert ledgers.ledger.read(source) == Position(7, 0, None, -1)


def test_narrow_without_a_position_does_nothing(ledgers: Ledgers, source: Source) -> None:
    assert not ledgers.ledger.narrow(source, OPENED, Suspect(9, 3))
    assert ledgers.ledger.read(source) is None


def test_release_removes_the_owner_only(ledgers: Ledgers, source: Source) -> None:
    position = opened(ledgers.ledger, source)
    assert ledgers.ledger.narrow(source, position, Suspect(9, 3))
    ledgers.ledger.release(source, "me")
    assert ledgers.ledger.read(source) == replace(position, owner=None, suspect=Suspect(9, 3))
    assert ledgers.ledger.open(source, 7, 9, THEIRS)[1] is None


def test_release_of_another_owner_or_without_a_position_does_nothing(ledgers: Ledgers, source: Source) -> None:
    ledgers.ledger.release(source, "me")
    assert ledgers.ledger.read(source) is None
    position = opened(ledgers.ledger, source)
    ledgers.ledger.release(source, "them")
    assert ledgers.ledger.read(source) == position


def test_release_is_allowed_where_there_is_a_stop(ledgers: Ledgers, source: Source) -> None:
    position = opened(ledgers.ledger, source)
    ledgers.ledger.stop(source, STOP)
    ledgers.ledger.release(source, "me")
    assert ledgers.ledger.read(source) == replace(position, owner=None, stop=STOP)


def test_partitions_topics_and_pipelines_have_separate_positions(ledgers: Ledgers, source: Source) -> None:
    opened(ledgers.ledger, source)
    for other in (
        Source(source.pipeline, source.topic, 31),
        Source(source.pipeline, "all", 3),
        Source(f"{source.pipeline}-more", source.topic, 3),
    ):
        assert ledgers.ledger.read(other) is None


def test_advance_moves_the_position_counts_and_gap_together(ledgers: Ledgers, source: Source, name: str) -> None:
    position = opened(ledgers.ledger, source)
    target = Position(MAX_OFFSET, 0, None, MAX_OFFSET)
    counts = [Count(name, "", 60, 2), Count(name, "device_type=ios&locale=RU", -3600, 10**12)]
    assert ledgers.ledger.advance(source, position, target, counts, Gap(7, 8))
    assert ledgers.ledger.read(source) == target
    assert ledgers.counted(name) == {("", 60): 2, ("device_type=ios&locale=RU", -3600): 10**12}
    assert list(ledgers.gaps(source)) == [Gap(7, 8)]


@pytest.mark.parametrize(
    "position",
    [replace(OPENED, next=6), replace(OPENED, next=8), replace(OPENED, step=1), Position(0, 0, None, -1)],
)
def test_advance_from_another_position_does_nothing(
    ledgers: Ledgers, source: Source, name: str, position: Position
) -> None:
    opened_at = opened(ledgers.ledger, source)
    counts, target = [Count(name, "", 60 * n, 1) for n in range(98)], Position(10, 0, None, 5)
    assert not ledgers.ledger.advance(source, position, target, counts, Gap(7, 8))
    assert ledgers.ledger.read(source) == opened_at
    assert ledgers.counted(name) == {}
    assert list(ledgers.gaps(source)) == []


def test_advance_of_an_unopened_partition_does_nothing(ledgers: Ledgers, source: Source, name: str) -> None:
    position = Position(0, 0, TODAY, -1)
    assert not ledgers.ledger.advance(source, position, Position(1, 0, None, 5), [Count(name, "", 0, 1)], None)
    assert ledgers.ledger.read(source) is None
    assert ledgers.counted(name) == {}


def test_a_repeated_advance_has_no_effect(ledgers: Ledgers, source: Source, name: str) -> None:
    position, target = opened(ledgers.ledger, source), Position(10, 0, None, 5)
    counts = [Count(name, "", 60, 2)]
    assert [ledgers.ledger.advance(source, position, target, counts, None) for _ in range(2)] == [True, False]
    assert ledgers.counted(name) == {("", 60): 2}


def test_an_advance_of_the_step_leaves_all_else(ledgers: Ledgers, source: Source, name: str) -> None:
    ledgers.ledger.begin(source, 7, "id")
    position = opened(ledgers.ledger, source)
    assert ledgers.ledger.narrow(source, position, Suspect(20, 3, ("me",)))
    before = replace(position, suspect=Suspect(20, 3, ("me",)))
    target = Position(7, 1, None, 99, accepted=9, window=((5, 5),), topic_id="other")
    assert ledgers.ledger.advance(source, position, target, [Count(name, "", 60, 2)], None)
    assert ledgers.ledger.read(source) == replace(before, step=1)
    assert ledgers.ledger.open(source, 7, 9, THEIRS) == (replace(before, step=1, owner="them"), "me")
    assert ledgers.ledger.advance(source, replace(position, step=1), Position(10, 0, None, 5), [], None)


def test_the_last_advance_removes_what_concerned_the_attempt(ledgers: Ledgers, source: Source) -> None:
    """The window and the suspect are written as the target says; the topic's ID stays."""
    ledgers.ledger.begin(source, 7, "id")
    position = opened(ledgers.ledger, source)
    target = Position(10, 0, None, 5, suspect=Suspect(20, 3), window=((3, 1), (2**40, 0)), topic_id="other")
    assert ledgers.ledger.advance(source, position, target, [], None)
    assert ledgers.ledger.read(source) == replace(target, topic_id="id")
    assert opened(ledgers.ledger, source, 10, 12).suspect == Suspect(20, 3)


def test_the_last_advance_removes_a_suspect_that_the_target_has_not(ledgers: Ledgers, source: Source) -> None:
    position = opened(ledgers.ledger, source)
    assert ledgers.ledger.narrow(source, position, Suspect(9, 3))
    assert ledgers.ledger.advance(source, position, Position(10, 0, None, 5), [], None)
    assert ledgers.ledger.read(source) == Position(10, 0, None, 5)


def test_the_last_advance_keeps_what_an_operator_accepted(ledgers: Ledgers, source: Source) -> None:
    position = opened(ledgers.ledger, source)
    ledgers.accept(source, 900)
    assert ledgers.ledger.advance(source, position, Position(10, 0, None, 5, accepted=7), [], None)
    assert ledgers.ledger.read(source) == Position(10, 0, None, 5, accepted=900)


def test_a_target_before_the_position_moves_it_back(ledgers: Ledgers, source: Source) -> None:
    """As a rewind does, which is not a step of the slice at the position."""
    advanced(ledgers.ledger, source, 7, Position(5000, 0, None, 5, window=((3, 1),)))
    position = ledgers.ledger.read(source)
    assert position is not None
    assert ledgers.ledger.advance(source, position, Position(0, 0, None, 5), [], None)
    assert ledgers.ledger.read(source) == Position(0, 0, None, 5)


def test_the_owner_does_not_decide_who_advances(ledgers: Ledgers, source: Source) -> None:
    """A writer that was taken over may still settle: its effects are those of the object."""
    position = opened(ledgers.ledger, source)
    opened(ledgers.ledger, source, opening=THEIRS)
    assert ledgers.ledger.advance(source, position, Position(10, 0, None, 5), [], None)
    assert ledgers.ledger.read(source) == Position(10, 0, None, 5)


def test_an_advance_holds_counts_per_advance_counts_and_a_gap(ledgers: Ledgers, source: Source, name: str) -> None:
    position, room = opened(ledgers.ledger, source), ledgers.ledger.counts_per_advance
    assert room == 98
    counts = [Count(name, f"page={n}", 60, n + 1) for n in range(room)]
    assert ledgers.ledger.advance(source, position, Position(10, 0, None, 5), counts, Gap(7, 8))
    assert ledgers.counted(name) == {(f"page={n}", 60): n + 1 for n in range(room)}


def test_groups_of_any_length_and_buckets_of_any_time_are_counted(ledgers: Ledgers, source: Source, name: str) -> None:
    position = opened(ledgers.ledger, source)
    counts = [
        Count(name, "page=", 60, 1),
        Count(name, "bucket=a%26b&counter=%3F%23", 60, 2),
        Count(name, LONG, 60, 3),
        Count(name, f"{LONG}x", 60, 4),
        Count(name, "", -62_135_596_800, 5),
    ]
    assert ledgers.ledger.advance(source, position, Position(10, 0, None, 5), counts, None)
    assert sorted(ledgers.counted(name).values()) == [1, 2, 3, 4, 5]


def test_counters_add_up_over_slices_and_partitions(ledgers: Ledgers, source: Source, name: str) -> None:
    for partition in range(2):
        here = Source(source.pipeline, source.topic, partition)
        for n in range(3):
            position = opened(ledgers.ledger, here, n, n)
            assert ledgers.ledger.advance(
                here, position, Position(n + 1, 0, None, n), [Count(name, "", 0, n + 1)], None
            )
    assert ledgers.counted(name) == {("", 0): 12}


def test_gaps_are_ordered_and_belong_to_one_partition(ledgers: Ledgers, source: Source) -> None:
    neighbour = Source(source.pipeline, source.topic, 33)
    for first in (5, 90, 100):
        advanced(ledgers.ledger, source, first, Position(first + 5, 0, None, 5), Gap(first, first + 1))
    advanced(ledgers.ledger, neighbour, 1, Position(9, 0, None, 5), Gap(1, 2))
    assert list(ledgers.gaps(source)) == [Gap(5, 6), Gap(90, 91), Gap(100, 101)]


def test_exactly_one_of_concurrent_writers_advances(ledgers: Ledgers, source: Source, name: str) -> None:
    position = opened(ledgers.ledger, source)
    counts = [Count(name, "", 60 * n, 1) for n in range(5)]
    won = raced(lambda n: ledgers.ledger.advance(source, position, Position(10 + n, 0, None, n), counts, Gap(7, 7 + n)))
    assert sorted(won) == [False] * (RACERS - 1) + [True]
    winner = won.index(True)
    assert ledgers.ledger.read(source) == Position(10 + winner, 0, None, winner)
    assert set(ledgers.counted(name).values()) == {1}
    assert list(ledgers.gaps(source)) == [Gap(7, 7 + winner)]


def test_concurrent_writers_open_the_same_position(ledgers: Ledgers, source: Source) -> None:
    """One of them is the first; each finds the one before it as the owner."""
    openings = [Opening(date(2026, 11, 1 + n), has_object=n % 2 == 0, owner=f"w{n}") for n in range(RACERS)]
    results = raced(lambda n: ledgers.ledger.open(source, 7 + n, 20, openings[n]))
    assert len({(position.next, position.day, position.has_object) for position, _ in results}) == 1
    last = ledgers.ledger.read(source)
    assert last is not None
    assert last in [position for position, _ in results]
    assert sorted(str(before) for _, before in results) == sorted(
        ["None", *(opening.owner for opening in openings if opening.owner != last.owner)]
    )


def test_concurrent_writers_record_one_stop(ledgers: Ledgers, source: Source) -> None:
    position = opened(ledgers.ledger, source)
    stops = [replace(STOP, detail=f"stop {n}") for n in range(RACERS)]
    raced(lambda n: ledgers.ledger.stop(source, stops[n]))
    assert ledgers.ledger.read(source) in [replace(position, stop=stop) for stop in stops]


def test_of_a_stop_and_an_advance_either_is_first(ledgers: Ledgers, source: Source) -> None:
    position, end = opened(ledgers.ledger, source), Position(10, 0, None, 5)

    def write(number: int) -> bool | None:
        if number % 2:
            return ledgers.ledger.advance(source, position, end, [], None)
        ledgers.ledger.stop(source, STOP)
        return None

    moved = True in raced(write)
    assert ledgers.ledger.read(source) == replace(end if moved else position, stop=STOP)


class Begin(NamedTuple):
    offset: int
    topic_id: str | None

    def of(self, ledger: Ledger, source: Source) -> object:
        return ledger.begin(source, self.offset, self.topic_id)


class Open(NamedTuple):
    first: int
    more: int
    opening: Opening

    def of(self, ledger: Ledger, source: Source) -> object:
        return ledger.open(source, self.first, self.first + self.more, self.opening)


class Narrow(NamedTuple):
    next: int
    owner: str | None
    suspect: Suspect

    def of(self, ledger: Ledger, source: Source) -> object:
        return ledger.narrow(source, Position(self.next, 0, None, -1, owner=self.owner), self.suspect)


class Release(NamedTuple):
    owner: str

    def of(self, ledger: Ledger, source: Source) -> object:
        ledger.release(source, self.owner)
        return None


class Stop(NamedTuple):
    stop: DurableStop

    def of(self, ledger: Ledger, source: Source) -> object:
        ledger.stop(source, self.stop)
        return None


class Advance(NamedTuple):
    next: int
    step: int
    beyond: int
    ends: bool
    gap: bool
    suspect: Suspect | None
    window: Sequence[tuple[int, int]]

    def of(self, ledger: Ledger, source: Source) -> object:
        position = Position(self.next, self.step, TODAY, -1)
        end = Position(self.next + self.beyond, 0, None, self.beyond, suspect=self.suspect, window=tuple(self.window))
        gap = Gap(self.next, self.next + 1) if self.gap else None
        counts = [Count(source.pipeline, "", 60 * self.beyond, 1)]
        return ledger.advance(source, position, end if self.ends else replace(position, step=1), counts, gap)


Call = Begin | Open | Narrow | Release | Stop | Advance
OFFSETS = st.integers(0, 4)
OWNERS = st.sampled_from(["me", "them"])
SUSPECTS = st.builds(
    Suspect, OFFSETS, st.integers(1, 3), st.lists(st.sampled_from(("me", "other")), max_size=2, unique=True).map(tuple)
)
CALLS = st.one_of(
    st.builds(Begin, OFFSETS, st.sampled_from([None, "id", "other"])),
    st.builds(
        Open, OFFSETS, st.integers(0, 3), st.builds(Opening, st.sampled_from([TODAY, TOMORROW]), st.booleans(), OWNERS)
    ),
    st.builds(Narrow, OFFSETS, OWNERS | st.none(), SUSPECTS),
    st.builds(Release, OWNERS),
    st.builds(Stop, st.sampled_from([STOP, OTHER_STOP])),
    st.builds(
        Advance, OFFSETS, st.integers(0, 1), st.integers(1, 5), st.booleans(), st.booleans(), SUSPECTS | st.none(),
        st.lists(st.tuples(OFFSETS, OFFSETS), max_size=2),
    ),
)  # fmt: skip


@given(st.lists(CALLS, max_size=10))
@settings(max_examples=40, deadline=None)
def test_any_sequence_of_calls_returns_what_the_model_returns(ledgers: Ledgers, calls: list[Call]) -> None:
    model, source = MemoryLedger(), Source(fresh("pipeline"), "topic", 0)
    for call in calls:
        assert call.of(ledgers.ledger, source) == call.of(model, source)
        assert ledgers.ledger.read(source) == model.read(source)
    assert ledgers.counted(source.pipeline) == {(group, bucket): n for (_, group, bucket), n in model.counters.items()}
    assert set(ledgers.gaps(source)) == set(model.gaps[source])
