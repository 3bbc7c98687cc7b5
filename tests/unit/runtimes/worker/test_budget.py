"""The memory of all lanes: each has its share, and half of it is for those that need more."""

import pytest

from functions.runtimes.worker.budget import Budget
from functions.runtimes.worker.lane import Lane
from tests.unit.runtimes.worker.lanes import make_lane

TOTAL = 800


def lanes(*sizes: int) -> list[Lane]:
    return [make_lane(partition=number, waiting_bytes=size) for number, size in enumerate(sizes)]


def full(*sizes: int) -> list[bool]:
    budget = Budget(TOTAL, lanes(*sizes))
    return [budget.is_full(lane) for lane in budget.lanes]


def test_a_lane_may_fill_its_share_and_the_whole_pool() -> None:
    assert Budget(TOTAL, lanes(0, 0)).share == 200
    assert full(599, 0) == [False, False]
    assert full(600, 199) == [True, False]
    assert full(799) == [False]
    assert full(800) == [True]


def test_lanes_that_exhaust_the_pool_leave_the_others_their_shares() -> None:
    assert full(400, 400, 99, 0) == [True, True, False, False]


@pytest.mark.parametrize("count", [2, 24, 96])
def test_however_many_lanes_are_blocked_the_last_one_may_read(count: int) -> None:
    total = 64 * 2**20
    blocked = [10 * 2**20] * (count - 1)
    budget = Budget(total, lanes(*blocked, 0))
    last = list(budget.lanes)[-1]
    assert not budget.is_full(last)
    assert total // (2 * count) <= budget.room()


def test_all_that_is_read_stays_within_the_total() -> None:
    for sizes in [(0, 0), (100, 300), (199, 199), (600, 0)]:
        budget = Budget(TOTAL, lanes(*sizes))
        assert sum(sizes) + budget.room() <= TOTAL


def test_only_lanes_that_are_read_have_room() -> None:
    blocked = lanes(400, 400, 0, 0)
    blocked[2].paused, blocked[3].attached = True, False
    assert Budget(TOTAL, blocked).room() == 0


def test_a_lane_with_a_whole_slice_behind_one_in_flight_is_full() -> None:
    busy, idle = lanes(1000, 1000)  # the limit of a slice
    busy.attempt = object()  # type: ignore[assignment]
    budget = Budget(10**6, [busy, idle])
    assert (budget.is_full(busy), budget.is_full(idle)) == (True, False)
    assert budget.may_resume(busy) is False
    busy.waiting_bytes = 499
    assert budget.may_resume(busy) is True


@pytest.mark.parametrize(
    ("sizes", "resumes"), [((600, 200), False), ((300, 200), True), ((100, 600), True), ((101, 600), False)]
)
def test_a_full_lane_reads_again_when_half_of_the_pool_or_of_its_share_is_free(
    sizes: tuple[int, int], *, resumes: bool
) -> None:
    budget = Budget(TOTAL, lanes(*sizes))
    assert budget.may_resume(next(iter(budget.lanes))) is resumes


def test_no_lanes_is_no_error() -> None:
    assert (Budget(TOTAL, []).room(), Budget(TOTAL, []).pool_used) == (TOTAL // 2, 0)
