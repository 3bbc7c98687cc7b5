"""The group's decisions: where lanes open, and how they close."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any

import pytest
from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from functions.adapters.memory import MemoryLedger
from functions.core.backoff import Backoff
from functions.core.errors import Fatal, OffsetsWentBack, Unavailable
from functions.core.ports import Position, Source
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker.assignment import ATTEMPTS, Assignment
from functions.runtimes.worker.fleet import Fleet
from tests.unit.core.clicks import pipeline
from tests.unit.runtimes.worker.consumers import FakeConsumer, kafka_error
from tests.unit.runtimes.worker.lanes import LIMITS, run


class Group:
    """An assignment over a fake consumer; `heard` is the order of what happened."""

    def __init__(self, settle: Callable[[Slice], Settled] | None = None, drain: float = 5.0) -> None:
        self.consumer: Any = FakeConsumer(p0=(0, 100), p1=(0, 100))
        self.ledger = MemoryLedger()
        self.threads = ThreadPoolExecutor(2)
        self.fleet = Fleet(settle or (lambda part: Settled(next=part.end + 1)), self.threads, time.time)
        self.heard: list[tuple[str, list[int]]] = []
        self.assignment = Assignment(
            pipeline(limits=LIMITS), self.ledger, self.fleet, drain, self._reap, self._changed, Backoff(0, 0)
        )

    def settled_before(self, partition: int, offset: int) -> None:
        self.ledger.positions[Source("clicks", "click", partition)] = Position(offset, 0, None, -1)

    def assign(self, *partitions: int) -> None:
        self.assignment.assigned(self.consumer, _parts(partitions))

    def revoke(self, *partitions: int) -> None:
        self.assignment.revoked(self.consumer, _parts(partitions))

    def lose(self, *partitions: int) -> None:
        self.assignment.lost(self.consumer, _parts(partitions))

    def settle(self, partition: int) -> None:
        """Have a slice of three records in flight."""
        lane = self.fleet.lanes[partition]
        self.fleet.add([run(*range(lane.position, lane.position + 3), partition=partition)], 0.0)
        self.fleet.start(0.0)

    def _reap(self) -> None:
        self.heard.append(("committed", [ended.part.partition for ended in self.fleet.ended(0.0) if ended.settled]))

    def _changed(self, change: str, partitions: list[int]) -> None:
        self.heard.append((change, partitions))


def _parts(partitions: tuple[int, ...]) -> list[TopicPartition]:
    return [TopicPartition("click", number) for number in partitions]


def test_lanes_open_where_the_ledger_stands() -> None:
    group = Group()
    group.settled_before(1, 40)
    group.assign(0, 1)
    assert group.consumer.told("assign") == [[(0, 0), (1, 40)]]
    assert {number: lane.position for number, lane in group.fleet.lanes.items()} == {0: 0, 1: 40}
    assert group.fleet.lanes[1].limits is LIMITS
    assert group.heard == [("assigned", [0, 1])]


def test_an_empty_assignment_is_one() -> None:
    group = Group()
    group.assign()
    assert group.consumer.calls[0] == ("assign", [])
    assert group.heard == [("assigned", [])]


def test_a_partition_that_was_paused_when_it_left_is_read_when_it_comes_back() -> None:
    group = Group()
    group.assign(0)
    assert group.consumer.told("resume") == [[(0, 0)]]
    assert group.consumer.told("pause") == []
    assert not group.fleet.lanes[0].paused


def test_librdkafka_reads_a_partition_again_that_was_paused_when_it_left() -> None:
    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    for offset in range(3):
        cluster.produce("click", b"%d" % offset, partition=0)
    assert cluster.flush(5) == 0
    brokers = ",".join(f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=5).brokers.values())
    group = Group()
    client = {"bootstrap.servers": brokers, "group.id": "g", "auto.offset.reset": "error", "log_level": 0}
    with closing(Consumer(client | {"enable.auto.commit": False})) as group.consumer:
        group.assign(0)
        assert len(group.consumer.consume(3, 10)) == 3
        group.consumer.pause(_parts((0,)))
        group.revoke(0)
        group.assign(0)
        assert [message.value() for message in group.consumer.consume(3, 10)] == [b"0", b"1", b"2"]


def test_a_log_that_went_back_stops_its_partition_and_no_other() -> None:
    group = Group()
    group.settled_before(0, 101)
    group.assign(0, 1)
    assert group.consumer.told("pause") == [[(0, OFFSET_END)]]
    assert isinstance(group.fleet.lanes[0].stopped, OffsetsWentBack)
    assert (group.fleet.lanes[0].paused, group.fleet.lanes[1].stopped) == (True, None)


def test_a_broker_or_ledger_that_does_not_answer_is_asked_again() -> None:
    group = Group()
    group.consumer.failing = {"get_watermark_offsets": [kafka_error()], "committed": [Unavailable("ledger")]}
    group.assign(0)
    assert group.fleet.lanes[0].position == 0


def test_a_broker_that_never_answers_ends_the_process() -> None:
    group = Group()
    group.consumer.failing = {"get_watermark_offsets": [kafka_error()] * ATTEMPTS}
    with pytest.raises(Fatal, match=r"cannot find out where to start: .*_TRANSPORT"):
        group.assign(0)
    assert group.fleet.lanes == {}
    assert group.consumer.calls == []


def test_a_revoked_partition_is_drained_and_committed_before_it_is_let_go() -> None:
    group = Group()
    group.assign(0, 1)
    group.settle(0)
    group.revoke(0)
    assert group.heard[1:] == [("committed", [0]), ("revoked", [0])]
    assert group.consumer.told("unassign") == [[(0, -1001)]]
    assert list(group.fleet.lanes) == [1]


def test_a_drain_is_bounded_and_what_comes_later_is_not_committed() -> None:
    release = Event()

    def settle(part: Slice) -> Settled:
        release.wait(5)
        return Settled(next=part.end + 1)

    group = Group(settle, drain=0.05)
    group.assign(0)
    group.settle(0)
    began = time.monotonic()
    group.revoke(0)
    assert time.monotonic() - began < 2
    release.set()
    group.threads.shutdown()
    assert group.heard[1:] == [("committed", []), ("revoked", [0])]
    assert group.fleet.ended(0.0) == []


def test_records_that_only_wait_are_left_to_the_next_owner() -> None:
    group = Group()
    group.assign(0)
    group.fleet.add([run(0, 1)], 0.0)
    group.revoke(0)
    assert group.heard[1:] == [("committed", []), ("revoked", [0])]
    assert group.fleet.size == 0


def test_a_lost_partition_is_not_committed() -> None:
    group = Group()
    group.assign(0, 1)
    group.settle(0)
    group.threads.shutdown()
    group.lose(0)
    assert group.heard[1:] == [("lost", [0])]
    assert group.consumer.told("unassign") == [[(0, -1001)]]
    assert group.fleet.ended(0.0) == []


def test_a_partition_that_comes_back_opens_anew_where_the_ledger_stands_now() -> None:
    group = Group()
    group.assign(0)
    group.settle(0)
    group.lose(0)
    group.settled_before(0, 3)
    group.assign(0)
    assert group.consumer.told("assign") == [[(0, 0)], [(0, 3)]]
    assert (group.fleet.lanes[0].position, group.fleet.in_flight) == (3, 0)


def test_losing_what_it_never_had_is_no_error() -> None:
    group = Group()
    group.lose(5)
    group.revoke(6)
    assert [change for change, _ in group.heard] == ["lost", "committed", "revoked"]
