"""The worker's loop: read, settle on threads, commit settled offsets."""

import time
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from aws_lambda_powertools import Logger
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from functions.core.errors import Fatal
from functions.core.metrics import ASSIGNED, BYTES_IN_FLIGHT, OPENING, PAUSED, REBALANCES, STOPPED, Metric
from functions.runtimes.worker.budget import Budget
from functions.runtimes.worker.client import PARTITION_ERRORS, UNKNOWN_TOPIC, UnknownTopic, is_fatal, leave
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.health import State
from functions.runtimes.worker.lag import Lag
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.opening import Opener
from functions.runtimes.worker.reading import read
from functions.runtimes.worker.records import Run, runs
from functions.runtimes.worker.subscription import Subscription
from functions.telemetry import Meter, Sample, report

MAX_READ_RECORDS: Final = 5000  # in one turn
RECORD_BYTES: Final = 16 * 1024  # assumed size of a record before the first read
IDLE_SECONDS: Final = 0.1  # the timeout of a read while no slice is in flight
REOPEN_SECONDS: Final = 1.0  # until a partition whose log has changed is opened again
BUSY_SECONDS: Final = 0.01  # the timeout while a slice may end at any moment
UNKNOWN_SECONDS: Final = 60.0  # how long brokers may not know the topic; the client does not report its return


@dataclass(slots=True)
class Worker:
    """One consumer and its fleet. `connect` sets the consumer and the opener; `run` returns when `stopping` is set."""

    fleet: Fleet
    lag: Lag
    meter: Meter
    state: State
    log: Logger
    bytes_in_flight: int
    leave_seconds: float  # the timeout of `close`
    consumer: Consumer = field(init=False)
    opener: Opener = field(init=False)
    record_bytes: float = RECORD_BYTES  # the mean of the last read
    unknown_topic: UnknownTopic | None = None  # None once partitions are assigned again

    def run(self, stopping: Event, stall_seconds: float) -> None:
        """Turn until `stopping` is set. Raises Fatal if the client failed or an attempt makes no progress."""
        while not stopping.is_set():
            self.turn()
            if self.state.longest > 2 * stall_seconds:
                raise Fatal(f"an attempt has been in the same step for {self.state.longest:.0f} s: no progress")

    def turn(self) -> None:
        """Open lanes, read if there is room, settle the slices that are due, commit settled offsets."""
        now = time.monotonic()
        self._check_topic(now)
        self.opener.turn(now)
        budget = self._budget()
        if Subscription(self.consumer).adjust(budget, now):
            self._read(budget.room())
        else:
            time.sleep(BUSY_SECONDS)
        self.settle()
        self._update_state()

    def settle(self) -> None:
        """Commit what has been settled, and settle the slices that are due. Lanes that are full do not wait."""
        self.reap()
        self.fleet.start(time.monotonic(), hurry=self._budget().is_full)

    def close(self) -> None:
        """Drain within the drain time and leave the group. Raises an error that occurs during the drain."""
        leave(self.consumer, self.leave_seconds)

    def abandon(self) -> None:
        """Release what is still in flight, because this process ends."""
        self.fleet.abandon(list(self.fleet.lanes))

    def changed(self, change: str, partitions: list[int]) -> None:
        """Log and count an assignment, which may be empty, or a revocation or loss of partitions."""
        self.log.info("partitions", extra={"change": change, "partitions": partitions})
        self.meter.record(Sample(REBALANCES, 1, (change,)))
        if change != "revoked":
            self.state.assigned = change == "assigned"
        if change != "assigned":
            self.lag.forget(partitions)

    def learn(self, statistics: str) -> None:
        """Learn from the client's statistics, which arrive every few seconds."""
        if self.lag.learn(statistics):
            self.state.brokers_seen = time.monotonic()

    def reap(self) -> None:
        """Commit and report the attempts that have ended."""
        attempts = self.fleet.ended(time.monotonic())
        settled = [attempt.slice_ for attempt in attempts if attempt.error is None]
        if settled:
            self._commit([TopicPartition(slice_.topic, slice_.partition, slice_.end + 1) for slice_ in settled])
        for attempt in attempts:
            report(attempt, self.meter.record, self.log)

    def _commit(self, offsets: list[TopicPartition]) -> None:
        """Commit for lag monitors and the other runtime's first start. The ledger decides, so a failure is harmless.

        The commit is asynchronous, because it may block forever if brokers are unreachable. `close` still sends it.
        """
        try:
            self.consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            self.log.warning("commit", extra={"error": str(error)})

    def _budget(self) -> Budget:
        return Budget(self.bytes_in_flight, self.fleet.lanes.values())

    def _read(self, room: int) -> None:
        """Read at most as many records as there is room for: while a read waits, the client may fetch any number."""
        wanted = min(max(int(room / self.record_bytes), 1), MAX_READ_RECORDS)
        batch = read(self.consumer, wanted, BUSY_SECONDS if self.fleet.in_flight else IDLE_SECONDS)
        self._add(list(runs(batch.messages)))
        for message in batch.errors:
            self._client_error(message)

    def _add(self, runs_read: list[Run]) -> None:
        if runs_read:
            records = sum(len(run.offsets) for run in runs_read)
            self.record_bytes = max(1.0, sum(run.size for run in runs_read) / records)
        self.fleet.add(runs_read, time.monotonic())

    def _client_error(self, message: Message) -> None:
        """Open a partition again whose log has changed. Raises Fatal if only a new process can continue.

        The client recovers from all other errors.
        """
        error = message.error()
        assert error is not None  # noqa: S101 - `read` selects such messages
        if error.code() in PARTITION_ERRORS and (lane := self._lane_of(message)):
            lane.reopen(time.monotonic() + REOPEN_SECONDS)
        if error.code() == UNKNOWN_TOPIC and self.unknown_topic is None:
            self.unknown_topic = UnknownTopic(time.monotonic(), error.str())
        if is_fatal(error):
            raise Fatal(f"consumer: {error.str()}")
        self.log.warning("consumer", extra={"partition": message.partition(), "error": error.str()})

    def _check_topic(self, now: float) -> None:
        """Raise Fatal if brokers have not known the topic for too long: the client then gives up its partitions."""
        if self.unknown_topic is None or now - self.unknown_topic.since < UNKNOWN_SECONDS:
            return
        if not self.fleet.lanes:
            raise Fatal(f"consumer: for {UNKNOWN_SECONDS:.0f} s: {self.unknown_topic.error}")
        self.unknown_topic = None

    def _lane_of(self, message: Message) -> Lane | None:
        partition = message.partition()
        return None if partition is None else self.fleet.lanes.get(partition)

    def _update_state(self) -> None:
        lanes, now = self.fleet.lanes.values(), time.monotonic()
        self.state.longest = self.fleet.longest(now)
        self.state.stopped = tuple(str(lane.stopped) for lane in lanes if lane.stopped)
        self.state.turn(now)
        self._gauge(BYTES_IN_FLIGHT, self.fleet.size)
        self._gauge(ASSIGNED, len(lanes))
        self._gauge(PAUSED, sum(lane.paused or not lane.attached for lane in lanes))
        self._gauge(STOPPED, len(self.state.stopped))
        self._gauge(OPENING, sum(not lane.is_open and lane.stopped is None for lane in lanes))
        self.lag.record(now)

    def _gauge(self, metric: Metric, value: float) -> None:
        self.meter.record(Sample(metric, value))
