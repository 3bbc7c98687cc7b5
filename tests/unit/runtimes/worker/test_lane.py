"""The state machine of one partition."""

from typing import Any

import pytest

from functions.core.errors import Flood, Refused
from functions.core.slice import Slice
from functions.runtimes.worker.attempt import AttemptInFlight
from functions.runtimes.worker.lane import Lane
from tests.unit.runtimes.worker.lanes import RECORD_BYTES, make_lane, run
from tests.unit.runtimes.worker.threads import NoThread
from tests.unit.runtimes.world import StubSettlement


def start(lane: Lane, now: float = 0.0) -> Slice:
    slice_ = lane.next_slice(now)
    assert slice_ is not None
    in_flight(lane, slice_)
    return slice_


def in_flight(lane: Lane, slice_: Any) -> None:
    settlement: Any = lane.settlement or StubSettlement(lambda _: None, slice_)  # type: ignore[arg-type, return-value]
    lane.start(settlement, AttemptInFlight(settlement, NoThread(), lambda: 0.0))


def test_an_empty_lane_has_nothing_to_settle() -> None:
    assert make_lane().next_slice(100.0) is None


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
    lane = make_lane()
    lane.add(read, 0.0)
    assert (lane.next_slice(now) is not None) is full


def test_the_age_is_that_of_the_first_record_that_waits() -> None:
    lane = make_lane()
    lane.add(run(0), 0.0)
    lane.add(run(1), 4.0)
    slice_ = lane.next_slice(5.0)
    assert slice_ is not None
    assert slice_.offsets == [0, 1]


def test_a_slice_holds_no_more_records_than_the_limit_and_the_rest_waits() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3), 0.0)
    slice_ = start(lane)
    assert (slice_.start, slice_.end, slice_.offsets, slice_.values) == (0, 2, [0, 1, 2], [b"0", b"1", b"2"])
    assert [len(column) for column in (lane.offsets, lane.timestamps, lane.keys, lane.values, lane.headers)] == [1] * 5
    assert (lane.slice_bytes, lane.waiting_bytes, lane.size) == (3 * RECORD_BYTES, RECORD_BYTES, 4 * RECORD_BYTES)


def test_one_slice_is_in_flight_at_a_time() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3, 4, 5), 0.0)
    start(lane)
    assert lane.next_slice(100.0) is None
    lane.settled(0.0)
    assert start(lane).offsets == [3, 4, 5]


def test_slices_follow_on_from_where_the_last_one_ended_holes_included() -> None:
    lane = make_lane(position=10)
    lane.add(run(12, 15), 0.0)
    assert (start(lane, 9.0).start, lane.position) == (10, 16)
    lane.settled(0.0)
    lane.add(run(20), 10.0)
    assert (start(lane, 19.0).start, lane.position) == (16, 21)


def test_a_record_before_the_position_is_no_error() -> None:
    lane = make_lane(position=10)
    lane.add(run(8, 9, 10), 0.0)
    slice_ = start(lane)
    assert (slice_.start, slice_.end) == (8, 10)


def test_a_settled_slice_frees_its_memory() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2), 0.0)
    start(lane)
    lane.settled(0.0)
    assert (lane.size, lane.unsettled, lane.blocked) == (0, 3, False)


def test_a_failed_slice_is_retried_at_its_time_and_before_any_other() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3, 4, 5), 0.0)
    slice_ = start(lane)
    lane.failed(retry_at=7.0, progress=False)
    assert (lane.blocked, lane.unsettled) == (True, 0)
    assert lane.next_slice(6.9) is None
    assert lane.next_slice(7.0) is slice_
    in_flight(lane, slice_)
    lane.failed(retry_at=9.0, progress=False)
    assert lane.failures == 2
    assert start(lane, 9.0) is slice_
    lane.settled(0.0)
    assert (lane.failures, lane.retry_at, lane.blocked) == (0, 0.0, False)
    assert start(lane, 0.0).offsets == [3, 4, 5]


def test_a_stopped_lane_settles_nothing_and_leaves_its_room_to_the_others() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3, 4, 5), 0.0)
    start(lane)
    lane.stop(Flood("f"), 30.0)
    lane.add(run(6), 1.0)
    assert lane.next_slice(100.0) is None
    assert (lane.blocked, lane.size, lane.unsettled) == (True, 0, 0)
    assert not any((lane.offsets, lane.timestamps, lane.keys, lane.values, lane.headers))


def test_the_oldest_timestamp_is_that_of_the_first_record_that_is_read_and_not_settled() -> None:
    lane = make_lane()
    assert lane.oldest_timestamp == -1
    lane.add(run(5, 6, 7, 8), 0.0)  # their timestamps are their offsets
    assert lane.oldest_timestamp == 5
    start(lane)
    assert lane.oldest_timestamp == 5
    lane.settled(0.0)
    assert lane.oldest_timestamp == 8


def test_a_stopped_lane_remembers_the_oldest_timestamp_that_it_left_unsettled() -> None:
    lane = make_lane()
    lane.add(run(5, 6, 7, 8), 0.0)
    start(lane)
    lane.stop(Flood("f"), 30.0)
    assert lane.oldest_timestamp == 5
    assert make_lane(stopped=Flood("at the start")).oldest_timestamp == -1


def test_the_lag_is_the_number_of_unsettled_records_in_the_log() -> None:
    lane = make_lane(position=4)
    assert lane.lag is None
    lane.log_end = 10
    assert lane.lag == 6
    lane.add(run(4, 5, 6), 0.0)
    assert lane.lag == 6
    start(lane)
    assert lane.lag == 6
    lane.settled(0.0)
    assert lane.lag == 3


def test_the_lag_is_never_negative() -> None:
    old = make_lane(position=12)
    old.log_end = 10
    assert old.lag == 0
    stopped = make_lane(position=-1, stopped=Flood("at the end, because nobody knows where to start"))
    stopped.log_end = 10
    assert stopped.lag == 10


def test_a_lane_that_is_not_open_has_nothing_to_settle_and_ignores_records() -> None:
    lane = make_lane(position=-1, is_open=False, attached=False)
    lane.add(run(0, 1, 2), 0.0)
    assert (lane.next_slice(100.0, hurry=True), lane.size, lane.oldest_timestamp) == (None, 0, -1)


def test_it_is_opened_once_at_its_time_and_not_while_its_last_slice_is_in_flight() -> None:
    lane = make_lane(is_open=False, open_at=5.0)
    assert (lane.to_open(4.9), lane.to_open(5.0)) == (False, True)
    lane.opened(40)
    assert (lane.to_open(100.0), lane.position, lane.unsettled) == (False, 40, 40)
    lane.add(run(40, 41, 42), 0.0)
    start(lane)
    lane.reopen(6.0)
    assert lane.to_open(100.0) is False
    lane.settled(1.0)
    assert lane.to_open(100.0) is True


def test_an_attempt_that_fails_while_its_lane_is_to_be_opened_again_is_not_repeated() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3), 0.0)
    start(lane)
    lane.reopen(6.0)
    lane.failed(7.0, progress=False)
    assert (lane.size, lane.to_open(6.0), lane.next_slice(100.0)) == (0, True, None)


def test_progress_makes_the_next_failure_the_first_one() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2), 0.0)
    for progress, failures in [(False, 1), (False, 2), (True, 1), (True, 1), (False, 2)]:
        start(lane, 100.0)
        lane.failed(0.0, progress=progress)
        assert lane.failures == failures


def test_a_retry_continues_the_same_settlement() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2), 0.0)
    start(lane)
    first = lane.settlement
    lane.failed(0.0, progress=False)
    start(lane)
    assert lane.settlement is first is not None
    lane.settled(0.0)
    assert lane.settlement is None


def test_records_that_waited_are_read_again_from_the_end_of_the_slice_in_flight() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3, 4), 0.0)
    start(lane)
    lane.drop_waiting()
    assert (lane.position, lane.size, lane.offsets) == (3, 3 * RECORD_BYTES, [])


def test_a_lane_that_gives_its_records_back_reads_them_again_in_smaller_slices_until_one_settles() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3), 0.0)
    start(lane)
    lane.failed(7.0, progress=False)
    lane.give_back(2 * RECORD_BYTES)
    assert (lane.size, lane.position, lane.blocked, lane.failures) == (0, 0, False, 1)
    lane.pace.records = 3
    lane.add(run(0, 1, 2), 8.0)
    assert start(lane, 8.0).offsets == [0, 1]
    lane.settled(0.0)
    assert (lane.max_slice_bytes, lane.failures) == (0, 0)


def test_a_slice_in_flight_is_not_given_back() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3), 0.0)
    start(lane)
    lane.give_back(0)
    assert (lane.position, lane.size) == (3, 3 * RECORD_BYTES)


def test_a_slow_slice_makes_the_next_one_smaller() -> None:
    lane = make_lane()
    lane.add(run(0, 1, 2, 3, 4, 5), 0.0)
    start(lane)
    lane.settled(300.0)
    assert start(lane).offsets == [3]


def test_a_lane_that_drains_starts_no_further_slice() -> None:
    lane = make_lane(draining=True)
    lane.add(run(0, 1, 2), 0.0)
    assert lane.next_slice(100.0) is None


def test_records_out_of_order_are_refused() -> None:
    lane = make_lane()
    lane.add(run(5, 4, 6), 0.0)
    with pytest.raises(Refused, match="rising offsets"):
        lane.next_slice(0.0)


def test_offsets_that_the_client_has_passed_without_a_record_are_no_lag() -> None:
    lane = make_lane(position=4, log_end=10)
    lane.fetched = 10  # what lies between was aborted
    assert lane.lag == 0
    lane.add(run(9), 0.0)
    assert lane.lag == 6
    lane.drop_waiting()
    lane.attached = False
    assert lane.lag == 6


def test_the_lag_of_a_lane_that_is_not_open_yet_is_unknown() -> None:
    assert make_lane(position=-1, is_open=False, log_end=10).lag is None
