"""The group's decisions: where lanes open, and how they close."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker.assignment import Assignment
from functions.runtimes.worker.budget import Budget
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.subscription import Subscription
from tests.unit.core.clicks import pipeline
from tests.unit.runtimes.worker.consumers import FakeConsumer
from tests.unit.runtimes.worker.lanes import LIMITS, run
from tests.unit.runtimes.world import beginning


class Group:
    """An assignment over a fake consumer; `events` are in the order in which they happened."""

    def __init__(self, settle: Callable[[Slice], Settled] | None = None, drain: float = 5.0) -> None:
        self.consumer: Any = FakeConsumer(p0=(0, 100), p1=(0, 100))
        self.threads = ThreadPoolExecutor(2)
        begin = beginning(settle or (lambda slice_: Settled(next=slice_.end + 1)))
        self.fleet = Fleet(begin, self.threads, time.time)
        self.events: list[tuple[str, list[int]]] = []
        self.assignment = Assignment(pipeline(limits=LIMITS), self.fleet, drain, 75.0, self._settle, self._changed)

    def assign(self, *partitions: int, position: int = 0) -> None:
        """Assign partitions, and open their lanes."""
        self.assignment.assigned(self.consumer, _parts(partitions))
        for partition in partitions:
            self.fleet.lanes[partition].opened(position)
        Subscription(self.consumer).adjust(Budget(10**6, self.fleet.lanes.values()), 0.0)

    def revoke(self, *partitions: int) -> None:
        self.assignment.revoked(self.consumer, _parts(partitions))

    def lose(self, *partitions: int) -> None:
        self.assignment.lost(self.consumer, _parts(partitions))

    def settle(self, partition: int) -> None:
        """Have a slice of three records in flight."""
        lane = self.fleet.lanes[partition]
        self.fleet.add([run(*range(lane.position, lane.position + 3), partition=partition)], 0.0)
        self.fleet.start(0.0)

    def _settle(self) -> None:
        committed = [ended.slice_.partition for ended in self.fleet.ended(0.0) if ended.error is None]
        self.events += [("committed", committed)] if committed else []
        self.fleet.start(0.0)

    def _changed(self, change: str, partitions: list[int]) -> None:
        self.events.append((change, partitions))


def _parts(partitions: tuple[int, ...]) -> list[TopicPartition]:
    return [TopicPartition("click", number) for number in partitions]


def test_an_assignment_waits_for_nothing_and_reads_nothing_until_lanes_are_open() -> None:
    group = Group()
    group.assignment.assigned(group.consumer, _parts((0, 1)))
    assert group.consumer.calls == [("assign", [])]
    assert [(lane.is_open, lane.attached, lane.limits) for lane in group.fleet.lanes.values()] == [
        (False, False, LIMITS), (False, False, LIMITS),
    ]  # fmt: skip
    assert group.events == [("assigned", [0, 1])]


def test_an_empty_assignment_is_one() -> None:
    group = Group()
    group.assign()
    assert group.consumer.calls[0] == ("assign", [])
    assert group.events == [("assigned", [])]


def test_a_partition_that_was_revoked_while_paused_is_read_when_assigned_again() -> None:
    group = Group()
    group.assign(0)
    assert group.consumer.calls_of("resume") == [[(0, 0)]]
    assert group.consumer.calls_of("pause") == []
    assert not group.fleet.lanes[0].paused


def test_librdkafka_reads_a_partition_again_that_was_paused_when_it_left() -> None:
    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    for offset in range(3):
        cluster.produce("click", b"%d" % offset, partition=0)
    assert cluster.flush(5) == 0
    brokers = ",".join(f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=60).brokers.values())
    group = Group()
    client = {"bootstrap.servers": brokers, "group.id": "g", "auto.offset.reset": "error", "log_level": 0}
    with closing(Consumer(client | {"enable.auto.commit": False})) as group.consumer:
        group.assign(0)
        assert len(group.consumer.consume(3, 10)) == 3
        group.consumer.pause(_parts((0,)))
        group.revoke(0)
        group.assign(0)
        assert [message.value() for message in group.consumer.consume(3, 10)] == [b"0", b"1", b"2"]


def test_a_revoked_partition_is_drained_and_committed_before_it_is_let_go() -> None:
    group = Group()
    group.assign(0, 1)
    group.settle(0)
    group.revoke(0)
    assert group.events[1:] == [("committed", [0]), ("revoked", [0])]
    assert group.consumer.calls_of("unassign") == [[(0, -1001)]]
    assert list(group.fleet.lanes) == [1]


def test_a_revoked_partition_that_was_never_opened_is_let_go() -> None:
    group = Group()
    group.assignment.assigned(group.consumer, _parts((0,)))
    group.revoke(0)
    assert group.consumer.calls[-1] == ("unassign", [])
    assert (group.fleet.lanes, group.events[-1]) == ({}, ("revoked", [0]))


def test_partitions_that_stay_are_settled_while_others_drain() -> None:
    release = Event()

    def settle(slice_: Slice) -> Settled:
        if slice_.partition == 0:
            release.wait(120)
        return Settled(next=slice_.end + 1)

    group = Group(settle, drain=0.3)
    group.assign(0, 1)
    group.fleet.add([run(*range(9), partition=1)], 0.0)
    group.settle(0)
    group.revoke(0)
    release.set()
    assert group.fleet.lanes[1].position == 9
    assert group.events.count(("committed", [1])) >= 2


def test_a_drain_is_bounded_and_later_results_are_not_committed() -> None:
    release = Event()

    def settle(slice_: Slice) -> Settled:
        release.wait(120)
        return Settled(next=slice_.end + 1)

    group = Group(settle, drain=0.05)
    group.assign(0)
    group.settle(0)
    began = time.monotonic()
    group.revoke(0)
    assert time.monotonic() - began < 60
    release.set()
    group.threads.shutdown()
    assert group.events[1:] == [("revoked", [0])]
    assert group.fleet.ended(0.0) == []


def test_records_that_only_wait_are_left_to_the_next_owner() -> None:
    group = Group()
    group.assign(0)
    group.fleet.add([run(0, 1)], 0.0)
    group.revoke(0)
    assert group.events[1:] == [("revoked", [0])]
    assert group.fleet.size == 0


def test_a_lost_partition_is_not_committed() -> None:
    group = Group()
    group.assign(0, 1)
    group.settle(0)
    group.threads.shutdown()
    group.lose(0)
    assert group.events[1:] == [("lost", [0])]
    assert group.consumer.calls_of("unassign") == [[(0, -1001)]]
    assert group.fleet.ended(0.0) == []


def test_a_partition_assigned_again_opens_at_the_ledgers_current_position() -> None:
    group = Group()
    group.assign(0)
    group.settle(0)
    group.lose(0)
    group.assign(0, position=3)
    assert group.consumer.calls_of("assign") == [[(0, 0)], [(0, 3)]]
    assert (group.fleet.lanes[0].position, group.fleet.in_flight) == (3, 0)


def test_losing_an_unassigned_partition_is_no_error() -> None:
    group = Group()
    group.lose(5)
    group.revoke(6)
    assert [change for change, _ in group.events] == ["lost", "revoked"]
