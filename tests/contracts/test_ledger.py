from datetime import date
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.adapters.memory import MemoryLedger
from functions.core.effects import Count
from functions.core.ports import Gap, Ledger, Position, Source
from tests.contracts.race import RACERS, raced
from tests.contracts.twins import Ledgers, fresh

TODAY, TOMORROW = date(2026, 11, 23), date(2026, 11, 24)
LAST = 2**63 - 1  # of an offset
LONG = "page=" + "%C3%A9" * 3000


class Opening(NamedTuple):
    first: int
    more: int
    today: date

    def of(self, ledger: Ledger, source: Source) -> object:
        return ledger.open(source, self.first, self.first + self.more, self.today)


class Advance(NamedTuple):
    next: int
    step: int
    beyond: int
    ends: bool
    gap: bool

    def of(self, ledger: Ledger, source: Source) -> object:
        at = Position(self.next, self.step, TODAY, -1)
        to = Position(self.beyond, 0, None, self.beyond) if self.ends else Position(self.next, 1, TODAY, -1)
        gone = Gap(self.next, self.next + 1) if self.gap else None
        return ledger.advance(source, at, to, [Count(source.pipeline, "", 60 * self.beyond, 1)], gone)


def test_nothing_is_there_before_it_is_opened(ledgers: Ledgers, source: Source) -> None:
    assert ledgers.ledger.read(source) is None
    assert list(ledgers.gaps(source)) == []


def test_open_creates_the_item_where_the_slice_begins(ledgers: Ledgers, source: Source) -> None:
    at = ledgers.ledger.open(source, 7, 9, TODAY)
    assert at == Position(7, 0, TODAY, -1)
    assert ledgers.ledger.read(source) == at


def test_open_again_changes_nothing_and_the_day_is_fixed_once(ledgers: Ledgers, source: Source) -> None:
    at = ledgers.ledger.open(source, 7, 9, TODAY)
    assert ledgers.ledger.open(source, 7, 9, TOMORROW) == at
    assert ledgers.ledger.open(source, 8, 20, TOMORROW) == at
    assert ledgers.ledger.read(source) == at


def test_open_beyond_the_slice_says_where_it_stands_and_fixes_nothing(ledgers: Ledgers, source: Source) -> None:
    opened(ledgers.ledger, source, 7, Position(10, 0, None, 5))
    assert ledgers.ledger.open(source, 7, 9, TOMORROW) == Position(10, 0, None, 5)
    assert ledgers.ledger.open(source, 10, 10, TOMORROW) == Position(10, 0, TOMORROW, 5)


def test_partitions_topics_and_pipelines_stand_apart(ledgers: Ledgers, source: Source) -> None:
    ledgers.ledger.open(source, 7, 9, TODAY)
    for other in (
        Source(source.pipeline, source.topic, 31),
        Source(source.pipeline, "all", 3),
        Source(f"{source.pipeline}-more", source.topic, 3),
    ):
        assert ledgers.ledger.read(other) is None


def test_advance_moves_everything_together(ledgers: Ledgers, source: Source, name: str) -> None:
    at = ledgers.ledger.open(source, 7, 9, TODAY)
    to = Position(LAST, 0, None, LAST)
    counts = [Count(name, "", 60, 2), Count(name, "device_type=ios&locale=RU", -3600, 10**12)]
    assert ledgers.ledger.advance(source, at, to, counts, Gap(7, 8))
    assert ledgers.ledger.read(source) == to
    assert ledgers.counted(name) == {("", 60): 2, ("device_type=ios&locale=RU", -3600): 10**12}
    assert list(ledgers.gaps(source)) == [Gap(7, 8)]


@pytest.mark.parametrize(
    "at", [Position(6, 0, TODAY, -1), Position(8, 0, TODAY, -1), Position(7, 1, TODAY, -1), Position(0, 0, None, -1)]
)
def test_advance_from_elsewhere_does_nothing(ledgers: Ledgers, source: Source, name: str, at: Position) -> None:
    there = ledgers.ledger.open(source, 7, 9, TODAY)
    counts, to = [Count(name, "", 60 * n, 1) for n in range(98)], Position(10, 0, None, 5)
    assert not ledgers.ledger.advance(source, at, to, counts, Gap(7, 8))
    assert ledgers.ledger.read(source) == there
    assert ledgers.counted(name) == {}
    assert list(ledgers.gaps(source)) == []


def test_advance_of_what_was_never_opened_does_nothing(ledgers: Ledgers, source: Source, name: str) -> None:
    at = Position(0, 0, TODAY, -1)
    assert not ledgers.ledger.advance(source, at, Position(1, 0, None, 5), [Count(name, "", 0, 1)], None)
    assert ledgers.ledger.read(source) is None
    assert ledgers.counted(name) == {}


def test_advance_twice_happens_once(ledgers: Ledgers, source: Source, name: str) -> None:
    at, to = ledgers.ledger.open(source, 7, 9, TODAY), Position(10, 0, None, 5)
    counts = [Count(name, "", 60, 2)]
    assert [ledgers.ledger.advance(source, at, to, counts, None) for _ in range(2)] == [True, False]
    assert ledgers.counted(name) == {("", 60): 2}


def test_the_day_stays_while_steps_are_taken(ledgers: Ledgers, source: Source, name: str) -> None:
    at = ledgers.ledger.open(source, 7, 9, TODAY)
    step = Position(7, 1, TODAY, -1)
    assert ledgers.ledger.advance(source, at, step, [Count(name, "", 60, 2)], None)
    assert ledgers.ledger.open(source, 7, 9, TOMORROW) == step
    assert ledgers.ledger.advance(source, step, Position(10, 0, None, 5), [Count(name, "", 60, 3)], None)
    assert ledgers.counted(name) == {("", 60): 5}


def test_it_takes_as_many_counts_as_it_says_and_a_gap(ledgers: Ledgers, source: Source, name: str) -> None:
    at, room = ledgers.ledger.open(source, 7, 9, TODAY), ledgers.ledger.counts_per_advance
    assert room == 98
    counts = [Count(name, f"page={n}", 60, n + 1) for n in range(room)]
    assert ledgers.ledger.advance(source, at, Position(10, 0, None, 5), counts, Gap(7, 8))
    assert ledgers.counted(name) == {(f"page={n}", 60): n + 1 for n in range(room)}


def test_groups_of_any_length_and_buckets_of_any_time_are_counted(ledgers: Ledgers, source: Source, name: str) -> None:
    at = ledgers.ledger.open(source, 7, 9, TODAY)
    counts = [
        Count(name, "page=", 60, 1),
        Count(name, "bucket=a%26b&counter=%3F%23", 60, 2),
        Count(name, LONG, 60, 3),
        Count(name, f"{LONG}x", 60, 4),
        Count(name, "", -62_135_596_800, 5),
    ]
    assert ledgers.ledger.advance(source, at, Position(10, 0, None, 5), counts, None)
    assert sorted(ledgers.counted(name).values()) == [1, 2, 3, 4, 5]


def test_counters_add_up_over_slices_and_partitions(ledgers: Ledgers, source: Source, name: str) -> None:
    for partition in range(2):
        here = Source(source.pipeline, source.topic, partition)
        for n in range(3):
            at = ledgers.ledger.open(here, n, n, TODAY)
            assert ledgers.ledger.advance(here, at, Position(n + 1, 0, None, n), [Count(name, "", 0, n + 1)], None)
    assert ledgers.counted(name) == {("", 0): 12}


def test_gaps_come_in_order_and_are_their_partitions_own(ledgers: Ledgers, source: Source) -> None:
    neighbour = Source(source.pipeline, source.topic, 33)
    for first in (5, 90, 100):
        opened(ledgers.ledger, source, first, Position(first + 5, 0, None, 5), Gap(first, first + 1))
    opened(ledgers.ledger, neighbour, 1, Position(9, 0, None, 5), Gap(1, 2))
    assert list(ledgers.gaps(source)) == [Gap(5, 6), Gap(90, 91), Gap(100, 101)]


def test_of_writers_side_by_side_exactly_one_advances(ledgers: Ledgers, source: Source, name: str) -> None:
    at = ledgers.ledger.open(source, 7, 9, TODAY)
    counts = [Count(name, "", 60 * n, 1) for n in range(5)]
    won = raced(lambda n: ledgers.ledger.advance(source, at, Position(10 + n, 0, None, n), counts, Gap(7, 7 + n)))
    assert sorted(won) == [False] * (RACERS - 1) + [True]
    winner = won.index(True)
    assert ledgers.ledger.read(source) == Position(10 + winner, 0, None, winner)
    assert set(ledgers.counted(name).values()) == {1}
    assert list(ledgers.gaps(source)) == [Gap(7, 7 + winner)]


def test_writers_side_by_side_open_one_and_the_same(ledgers: Ledgers, source: Source) -> None:
    found = raced(lambda n: ledgers.ledger.open(source, 7 + n, 20, date(2026, 11, 1 + n)))
    assert len(set(found)) == 1
    assert ledgers.ledger.read(source) == found[0]


QUESTIONS = st.one_of(
    st.builds(Opening, st.integers(0, 4), st.integers(0, 3), st.sampled_from([TODAY, TOMORROW])),
    st.builds(Advance, st.integers(0, 4), st.integers(0, 1), st.integers(1, 5), st.booleans(), st.booleans()),
)


@given(st.lists(QUESTIONS, max_size=8))
@settings(max_examples=25, deadline=None)
def test_whatever_is_asked_the_answers_are_the_models(ledgers: Ledgers, asked: list[Opening | Advance]) -> None:
    model, source = MemoryLedger(), Source(fresh("pipeline"), "topic", 0)
    for question in asked:
        assert question.of(ledgers.ledger, source) == question.of(model, source)
        assert ledgers.ledger.read(source) == model.read(source)
    assert ledgers.counted(source.pipeline) == {(group, at): n for (_, group, at), n in model.counters.items()}
    assert set(ledgers.gaps(source)) == set(model.gaps[source])


def opened(ledger: Ledger, source: Source, first: int, to: Position, gap: Gap | None = None) -> None:
    assert ledger.advance(source, ledger.open(source, first, to.next, TODAY), to, [], gap)
