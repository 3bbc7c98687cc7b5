"""The state machine of one partition."""

from concurrent.futures import Future
from typing import Any

import pytest

from functions.core.errors import Flood
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker.lane import Lane
from tests.unit.runtimes.worker.lanes import RECORD_BYTES, lane, run


def start(one: Lane, now: float = 0.0) -> Slice:
    part = one.next_slice(now)
    assert part is not None
    one.start(Future[Settled](), now)
    return part


def test_an_empty_lane_has_nothing_to_settle() -> None:
    assert lane().next_slice(100.0) is None


@pytest.mark.parametrize(
    ("read", "now", "full"),
    [
        (run(0, 1), 4.9, False),
        (run(0, 1), 5.0, True),
        (run(0, 1, 2), 0.0, True),
        (run(0, size=999), 0.0, False),
        (run(0, size=1000), 0.0, True),
    ],
    ids=["young", "old", "many", "small", "large"],
)
def test_a_slice_is_full_by_records_bytes_or_age(read: Any, now: float, *, full: bool) -> None:
    one = lane()
    one.add(read, 0.0)
    assert (one.next_slice(now) is not None) is full


def test_the_age_is_that_of_the_first_record_that_waits() -> None:
    one = lane()
    one.add(run(0), 0.0)
    one.add(run(1), 4.0)
    part = one.next_slice(5.0)
    assert part is not None
    assert part.offsets == [0, 1]


def test_a_slice_takes_no_more_records_than_the_limit_and_the_rest_waits() -> None:
    one = lane()
    one.add(run(0, 1, 2, 3), 0.0)
    part = start(one)
    assert (part.start, part.end, part.offsets, part.values) == (0, 2, [0, 1, 2], [b"0", b"1", b"2"])
    assert [len(each) for each in (one.offsets, one.timestamps, one.keys, one.values, one.headers)] == [1] * 5
    assert (one.part_bytes, one.waiting_bytes, one.size) == (3 * RECORD_BYTES, RECORD_BYTES, 4 * RECORD_BYTES)


def test_one_slice_is_in_flight_at_a_time() -> None:
    one = lane()
    one.add(run(0, 1, 2, 3, 4, 5), 0.0)
    start(one)
    assert one.next_slice(100.0) is None
    one.settled()
    assert start(one).offsets == [3, 4, 5]


def test_slices_follow_on_from_where_the_last_one_ended_holes_included() -> None:
    one = lane(position=10)
    one.add(run(12, 15), 0.0)
    assert (start(one, 9.0).start, one.position) == (10, 16)
    one.settled()
    one.add(run(20), 10.0)
    assert (start(one, 19.0).start, one.position) == (16, 21)


def test_a_record_before_the_position_is_no_error() -> None:
    one = lane(position=10)
    one.add(run(8, 9, 10), 0.0)
    part = start(one)
    assert (part.start, part.end) == (8, 10)


def test_a_settled_slice_takes_no_more_room() -> None:
    one = lane()
    one.add(run(0, 1, 2), 0.0)
    start(one)
    one.settled()
    assert (one.size, one.unsettled, one.blocked) == (0, 3, False)


def test_a_failed_slice_comes_again_at_its_time_and_no_other_before_it() -> None:
    one = lane()
    one.add(run(0, 1, 2, 3, 4, 5), 0.0)
    part = start(one)
    one.failed(retry_at=7.0)
    assert (one.blocked, one.unsettled) == (True, 0)
    assert one.next_slice(6.9) is None
    assert one.next_slice(7.0) is part
    one.start(Future(), 7.0)
    one.failed(retry_at=9.0)
    assert one.attempts == 2
    assert start(one, 9.0) is part
    one.settled()
    assert (one.attempts, one.retry_at, one.blocked) == (0, 0.0, False)
    assert start(one, 0.0).offsets == [3, 4, 5]


def test_a_stopped_lane_settles_nothing_and_leaves_its_room_to_the_others() -> None:
    one = lane()
    one.add(run(0, 1, 2, 3, 4, 5), 0.0)
    start(one)
    one.stop(Flood("f"))
    one.add(run(6), 1.0)
    assert one.next_slice(100.0) is None
    assert (one.blocked, one.size, one.unsettled) == (True, 0, 0)
    assert not any((one.offsets, one.timestamps, one.keys, one.values, one.headers))


def test_the_oldest_timestamp_is_that_of_the_first_record_that_is_read_and_not_settled() -> None:
    one = lane()
    assert one.oldest_timestamp == -1
    one.add(run(5, 6, 7, 8), 0.0)  # their timestamps are their offsets
    assert one.oldest_timestamp == 5
    start(one)
    assert one.oldest_timestamp == 5
    one.settled()
    assert one.oldest_timestamp == 8


def test_a_stopped_lane_remembers_the_oldest_timestamp_that_it_left_unsettled() -> None:
    one = lane()
    one.add(run(5, 6, 7, 8), 0.0)
    start(one)
    one.stop(Flood("f"))
    assert one.oldest_timestamp == 5
    assert lane(stopped=Flood("at the start")).oldest_timestamp == -1


def test_the_lag_is_what_the_log_holds_and_is_not_settled() -> None:
    one = lane(position=4)
    assert one.lag is None
    one.log_end = 10
    assert one.lag == 6
    one.add(run(4, 5, 6), 0.0)
    assert one.lag == 6
    start(one)
    assert one.lag == 6
    one.settled()
    assert one.lag == 3


def test_the_lag_is_never_less_than_nothing() -> None:
    old = lane(position=12)
    old.log_end = 10
    assert old.lag == 0
    stopped = lane(position=-1, stopped=Flood("at the end, because nobody knows where to start"))
    stopped.log_end = 10
    assert stopped.lag == 10
