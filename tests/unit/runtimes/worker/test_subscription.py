"""What the client is told to read: lanes that are open and can take more, and no others."""

from typing import Any

from functions.core.errors import Flood
from functions.runtimes.worker.attempt import AttemptInFlight
from functions.runtimes.worker.budget import Budget
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.subscription import DETACH_FAILURES, DETACH_SECONDS, FULL_SECONDS, Subscription
from tests.unit.runtimes.worker.consumers import FakeConsumer
from tests.unit.runtimes.worker.lanes import RECORD_BYTES, make_lane, run
from tests.unit.runtimes.worker.threads import SameThread
from tests.unit.runtimes.world import StubSettlement, slice_of


class Client:
    """A subscription of some lanes, and what the client was told."""

    def __init__(self, *lanes: Lane, total: int = 10**6) -> None:
        self.consumer: Any = FakeConsumer()
        self.lanes, self.total = lanes, total

    def adjust(self, now: float = 0.0) -> bool:
        return Subscription(self.consumer).adjust(Budget(self.total, self.lanes), now)

    def told(self) -> list[Any]:
        told = [(name, offsets) for name, offsets in self.consumer.calls if offsets]
        self.consumer.calls.clear()
        return told


def failing(failures: int, *offsets: int, waiting: tuple[int, ...] = ()) -> Lane:
    """A lane whose slice has failed so often, and waits for its next attempt."""
    lane = make_lane()
    lane.add(run(*offsets, *waiting), 0.0)
    lane.pace.records = len(offsets)
    assert lane.next_slice(100.0) is not None
    lane.failures, lane.retry_at = failures, 50.0
    return lane


def hanging(lane: Lane) -> Lane:
    """Have the lane's slice in flight since 0 s."""
    lane.add(run(0, 1, 2, 3), 0.0)
    settlement: Any = StubSettlement(lambda _: None, slice_of(b"v"))  # type: ignore[arg-type, return-value]
    assert lane.next_slice(0.0) is not None
    lane.start(settlement, AttemptInFlight(settlement, SameThread(), lambda: 0.0))
    return lane


def test_a_lane_is_read_from_its_position_when_it_has_been_opened() -> None:
    lane = make_lane(-1, is_open=False, attached=False)
    client = Client(lane)
    client.adjust()
    assert client.told() == []
    lane.opened(40)
    client.adjust()
    client.adjust()
    assert client.told() == [("assign", [(0, 40)]), ("resume", [(0, 40)])]


def test_a_stopped_lane_is_not_read_and_the_client_holds_nothing_of_it() -> None:
    lane = make_lane()
    client = Client(lane)
    lane.stop(Flood("f"), 30.0)
    client.adjust()
    assert client.told() == [("unassign", [(0, -1001)])]
    lane.opened(5)
    client.adjust()
    assert client.told() == [("assign", [(0, 5)]), ("resume", [(0, 5)])]


def test_a_failing_lane_is_paused_then_detached_with_its_slice_and_read_again_from_there() -> None:
    lane = failing(1, 0, 1, 2, waiting=(3, 4))
    client = Client(lane)
    client.adjust()
    assert client.told() == [("pause", [(0, -1001)])]
    lane.failures = DETACH_FAILURES
    client.adjust()
    assert client.told() == [("unassign", [(0, -1001)])]
    assert (lane.size, lane.slice_ is not None) == (3 * RECORD_BYTES, True)
    lane.settled(0.0)
    client.adjust()
    assert client.told() == [("assign", [(0, 3)]), ("resume", [(0, 3)])]


def test_a_failing_lane_that_exceeds_its_share_gives_its_slice_back_and_tries_again_with_a_smaller_one() -> None:
    lane = failing(DETACH_FAILURES, 0, 1, 2)
    client = Client(lane, total=50)
    client.adjust()
    assert (lane.size, lane.position) == (0, 0)
    assert client.told() == [("unassign", [(0, -1001)])]
    client.adjust(49.9)
    assert client.told() == []
    client.adjust(50.0)
    assert client.told() == [("assign", [(0, 0)]), ("resume", [(0, 0)])]
    lane.add(run(0, 1, 2), 50.0)
    slice_ = lane.next_slice(50.0)
    assert slice_ is not None
    assert len(slice_) == 1


def test_a_lane_whose_attempt_hangs_keeps_its_slice_only() -> None:
    lane = hanging(make_lane())
    client = Client(lane)
    client.adjust(DETACH_SECONDS - 1)
    assert lane.size == 4 * RECORD_BYTES
    client.adjust(DETACH_SECONDS)
    assert lane.size == 3 * RECORD_BYTES
    assert client.told() == [("unassign", [(0, -1001)])]


def test_a_full_lane_may_drain_for_a_moment_before_it_is_paused_alone() -> None:
    full, other = make_lane(waiting_bytes=100), make_lane(partition=1)
    client = Client(full, other, total=100)
    assert client.adjust(0.0) is False
    assert client.adjust(FULL_SECONDS - 0.1) is False
    assert client.adjust(FULL_SECONDS) is True
    assert client.told() == [("pause", [(0, -1001)])]
    full.waiting_bytes = 12
    assert client.adjust(FULL_SECONDS) is True
    assert client.told() == [("resume", [(0, -1001)])]


def test_a_lane_that_drains_in_that_moment_is_not_paused() -> None:
    lane = make_lane(waiting_bytes=100)
    client = Client(lane, total=100)
    assert client.adjust(0.0) is False
    lane.waiting_bytes = 99
    assert client.adjust(0.1) is True
    lane.waiting_bytes = 100
    assert client.adjust(FULL_SECONDS + 0.05) is False
    assert client.told() == []
