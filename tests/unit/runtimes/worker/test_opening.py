"""Lanes open in the background; one that cannot be opened is tried again, and no other waits for it."""

import time
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from functions.core.backoff import Backoff
from functions.core.errors import Corrupt, Fatal, Flood, Unavailable
from functions.runtimes.worker.fleet import REOPEN_SECONDS, Fleet
from functions.runtimes.worker.opening import Opener
from tests.unit.runtimes.worker.lanes import make_lane
from tests.unit.runtimes.worker.test_fleet import settles
from tests.unit.runtimes.worker.threads import NoThread, SameThread
from tests.unit.runtimes.world import Logs, beginning


class Opening:
    """Two lanes to open; `answers` are what the next attempts at partition 0 end with. Partition 1 opens at 7."""

    def __init__(self, *answers: int | Exception, threads: Any = None) -> None:
        self.logs, self.answers = Logs(), iter(answers)
        lanes = {number: make_lane(-1, number, is_open=False, attached=False) for number in (0, 1)}
        self.fleet = Fleet(beginning(settles), SameThread(), time.time, lanes=lanes)
        self.opener = Opener(self._first, threads or SameThread(), self.fleet, self.logs.log, Backoff(10.0, 30.0))

    def _first(self, partition: TopicPartition) -> int:
        answer = next(self.answers) if partition.partition == 0 else 7
        if isinstance(answer, Exception):
            raise answer
        return answer

    def turn(self, now: float) -> None:
        """Two turns: one submits, the next notes the result."""
        self.opener.turn(now)
        self.opener.turn(now)

    def opened(self) -> dict[int, int | None]:
        return {number: lane.position if lane.is_open else None for number, lane in self.fleet.lanes.items()}


def test_lanes_open_where_they_begin() -> None:
    opening = Opening(40)
    opening.turn(0.0)
    assert opening.opened() == {0: 40, 1: 7}
    assert [line["position"] for line in opening.logs.lines_of("partition opened")] == [40, 7]


def test_a_lane_that_cannot_be_opened_is_tried_again_later_and_the_others_run() -> None:
    opening = Opening(Unavailable("no leader"), Unavailable("no leader"), 40)
    opening.turn(0.0)
    assert opening.opened() == {0: None, 1: 7}
    opening.turn(4.9)
    assert len(opening.logs.lines_of("partition not opened")) == 1
    opening.turn(10.0)
    assert len(opening.logs.lines_of("partition not opened")) == 2
    opening.turn(19.9)
    assert opening.opened()[0] is None  # the delay has doubled
    opening.turn(30.0)
    assert opening.opened()[0] == 40


def test_an_opening_that_hangs_holds_nothing_up() -> None:
    threads = NoThread()
    opening = Opening(threads=threads)
    opening.turn(0.0)
    threads.futures[1].set_result(7)
    opening.turn(100.0)
    assert opening.opened() == {0: None, 1: 7}
    assert len(threads.futures) == 2


@pytest.mark.parametrize("error", [Flood("recorded in the ledger"), Corrupt("an item")])
def test_a_stopped_partition_is_logged_once_and_opens_when_an_operator_has_resumed_it(error: Exception) -> None:
    opening = Opening(error, error, 40)
    opening.turn(0.0)
    assert opening.fleet.lanes[0].stopped is error
    opening.turn(REOPEN_SECONDS - 1)
    opening.turn(REOPEN_SECONDS)
    assert len(opening.logs.lines_of("partition stopped")) == 1
    assert opening.opened() == {0: None, 1: 7}
    opening.turn(2 * REOPEN_SECONDS)
    assert opening.opened()[0] == 40
    assert [lane for lane in opening.fleet.lanes.values() if lane.stopped] == []


@pytest.mark.parametrize("error", [Fatal("no credentials"), ZeroDivisionError("bug")])
def test_any_other_error_ends_the_process(error: Exception) -> None:
    opening = Opening(error)
    with pytest.raises(type(error)):
        opening.turn(0.0)


def test_the_result_for_a_lane_that_has_gone_is_ignored() -> None:
    threads = NoThread()
    opening = Opening(threads=threads)
    opening.turn(0.0)
    del opening.fleet.lanes[0]
    threads.futures[0].set_exception(ZeroDivisionError("the consumer is closed"))
    opening.turn(1.0)
