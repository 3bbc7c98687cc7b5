"""A worker on a fake consumer, and what it reads."""

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Message

from functions.adapters.prometheus import PrometheusMeter
from functions.core.backoff import Backoff
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.health import State
from functions.runtimes.worker.lag import Lag
from functions.runtimes.worker.worker import Worker
from tests.unit.runtimes.worker.consumers import FakeConsumer
from tests.unit.runtimes.worker.lanes import lane
from tests.unit.runtimes.worker.test_fleet import Here
from tests.unit.runtimes.world import Logs


def settles(part: Slice) -> Settled:
    return Settled(next=part.end + 1, records=len(part))


def read(partition: int, *offsets: int) -> list[Message]:
    return [Message("click", partition, offset, b"k", b"v", timestamp=(1, 1)) for offset in offsets]


class Bench:
    """A worker on a fake consumer that has partitions 0 and 1."""

    def __init__(self, settle: Callable[[Slice], Settled] = settles, threads: Any = None, room: int = 10**6) -> None:
        self.consumer, self.logs = FakeConsumer(p0=(0, 50), p1=(0, 50)), Logs()
        lanes = {number: lane(partition=number) for number in (0, 1)}
        fleet = Fleet(settle, threads or Here(), time.time, Backoff(0.0, 0.0), lanes)
        self.meter = PrometheusMeter("clicks")
        self.lag = Lag(fleet, self.meter, self.logs.log)
        self.worker = Worker(fleet, self.lag, self.meter, State(0.0), self.logs.log, room, leave_seconds=0.2)
        self.worker.consumer = self.consumer  # type: ignore[assignment]

    def turn(self, *batches: list[Message]) -> None:
        self.consumer.batches += batches
        for _ in batches or ((),):
            self.worker.turn()

    def metric(self, name: str) -> float | None:
        page = self.meter.page().decode().splitlines()
        return next((float(line.split()[-1]) for line in page if line.startswith(f"tandem_{name}{{")), None)

    def learn(self, text: str) -> None:
        self.lag.learn(text, self.consumer)  # type: ignore[arg-type]
