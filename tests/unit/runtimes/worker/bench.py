"""A worker on a fake consumer, and batches for it to read."""

import time
from collections.abc import Callable, Collection
from typing import Any

from confluent_kafka import Message, TopicPartition

from functions.adapters.prometheus import PrometheusMeter
from functions.core.backoff import Backoff
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.health import State
from functions.runtimes.worker.lag import Lag
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.opening import Opener
from functions.runtimes.worker.worker import Worker
from tests.unit.runtimes.worker.consumers import FakeConsumer
from tests.unit.runtimes.worker.lanes import make_lane
from tests.unit.runtimes.worker.threads import SameThread
from tests.unit.runtimes.world import Logs, beginning


def settles(slice_: Slice) -> Settled:
    return Settled(next=slice_.end + 1, records=len(slice_))


def read(partition: int, *offsets: int, topic: str = "click") -> list[Message]:
    return [Message(topic, partition, offset, b"k", b"v", timestamp=(1, 1)) for offset in offsets]


class Bench:
    """A worker on a fake consumer that has partitions 0 and 1. `first_offset` opens a lane again."""

    def __init__(
        self,
        settle: Callable[[Slice], Settled] = settles,
        threads: Any = None,
        room: int = 10**6,
        first_offset: Callable[[TopicPartition], int] = lambda _: 0,
        partitions: int = 2,
    ) -> None:
        self.consumer, self.logs = FakeConsumer(**{f"p{number}": (0, 50) for number in range(partitions)}), Logs()
        lanes = {number: make_lane(partition=number) for number in range(partitions)}
        self.fleet = Fleet(beginning(settle), threads or SameThread(), time.time, Backoff(0.0, 0.0), lanes)
        self.meter = PrometheusMeter("clicks")
        self.lag = Lag(self.fleet, self.meter, self.logs.log, SameThread(), self._log_ends)
        self.worker = Worker(self.fleet, self.lag, self.meter, State(0.0), self.logs.log, room, leave_seconds=0.2)
        self.worker.consumer = self.consumer  # type: ignore[assignment]
        self.worker.record_bytes = 1.0  # so that the first read is not limited
        self.worker.opener = Opener(first_offset, SameThread(), self.fleet, self.logs.log, Backoff(0.0, 0.0))

    def _log_ends(self, partitions: Collection[int]) -> dict[int, int]:
        return {each: self.consumer.get_watermark_offsets(TopicPartition("click", each))[1] for each in partitions}

    @property
    def lanes(self) -> list[Lane]:
        return list(self.fleet.lanes.values())

    def turn(self, *batches: list[Message]) -> None:
        self.consumer.batches += batches
        for _ in batches or ((),):
            self.worker.turn()

    def metric(self, name: str) -> float | None:
        page = self.meter.page().decode().splitlines()
        return next((float(line.split()[-1]) for line in page if line.startswith(f"tandem_{name}{{")), None)
