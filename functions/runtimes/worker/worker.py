"""The worker's loop: read, settle on threads, commit what is settled."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from aws_lambda_powertools import Logger
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from functions.core.errors import Fatal
from functions.core.metrics import ASSIGNED, BYTES_IN_FLIGHT, PAUSED, REBALANCES, STOPPED, Metric
from functions.runtimes.worker.client import beyond_repair, leave
from functions.runtimes.worker.fleet import Ended, Fleet
from functions.runtimes.worker.health import State
from functions.runtimes.worker.lag import Lag
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.records import Run, runs
from functions.telemetry import Meter, Sample, fields, settled_fields

READ_RECORDS: Final = 5000  # at most, in one call
RECORD_BYTES: Final = 16 * 1024  # taken for the size of a record before any is known
IDLE_SECONDS: Final = 0.1  # how long a read waits when no slice is in flight
BUSY_SECONDS: Final = 0.01  # and when one may end at any moment
FULL_SECONDS: Final = 0.5  # how long the loop lets a full fleet drain before it pauses partitions to keep polling
RESUME_AT: Final = 0.5  # of the bytes in flight, so that partitions are not paused and resumed all the time


@dataclass(slots=True)
class Worker:
    """One consumer and its fleet. `connect` gives it the consumer; `run` returns when `stopping` is set."""

    fleet: Fleet
    lag: Lag
    meter: Meter
    state: State
    log: Logger
    bytes_in_flight: int
    leave_seconds: float  # how long `close` may take
    consumer: Consumer = field(init=False)
    record_bytes: float = RECORD_BYTES  # the mean of the last read
    full_since: float | None = None

    def run(self, stopping: Event, stall_seconds: float) -> None:
        """Turn until told to stop. Raises Fatal when the client or the process is beyond repair."""
        while not stopping.is_set():
            self.turn()
            if self.state.longest > 2 * stall_seconds:
                raise Fatal(f"an attempt has been in flight for {self.state.longest:.0f} s: no progress")

    def turn(self) -> None:
        """Once around: read unless there is no room, settle what is due, commit what is settled."""
        now = time.monotonic()
        room = self._room(now)
        self._pause(now)
        if room:
            self._take(list(runs(self._read())))
        self.reap()
        self.fleet.start(time.monotonic(), hurry=self.full_since is not None)
        self._watch()

    def close(self) -> None:
        """Drain within the drain time and leave the group. Raises what the drain brings to light."""
        leave(self.consumer, self.leave_seconds)

    def changed(self, change: str, partitions: list[int]) -> None:
        """The group has assigned or revoked partitions, or they were lost; an assignment may be empty."""
        self.log.info("partitions", extra={"change": change, "partitions": partitions})
        self.meter.record(Sample(REBALANCES, 1, (change,)))
        if change == "assigned":
            self.state.assigned = True
        else:
            self.lag.forget(partitions)

    def reap(self) -> None:
        """Commit, log and count the attempts that have ended."""
        ended = self.fleet.ended(time.monotonic())
        commits = [
            TopicPartition(each.part.topic, each.part.partition, each.part.end + 1) for each in ended if each.settled
        ]
        if commits:
            self._commit(commits)
        for each in ended:
            self._tell(each)

    def _commit(self, parts: list[TopicPartition]) -> None:
        """A courtesy to lag monitors and to the other runtime's start: the ledger decides, so a failure is no harm.

        Never waited for: with the brokers away that may take without end. It is sent before the group is left.
        """
        try:
            self.consumer.commit(offsets=parts, asynchronous=True)
        except KafkaException as error:
            self.log.warning("commit", extra={"error": str(error)})

    def _take(self, read: list[Run]) -> None:
        if read:
            self.record_bytes = max(1.0, sum(run.size for run in read) / sum(len(run.offsets) for run in read))
        self.fleet.add(read, time.monotonic())

    def _read(self) -> Sequence[Message]:
        """No more than there is room for: while a read waits for company, a client brings any number of records."""
        most = int((self.bytes_in_flight - self.fleet.size) / self.record_bytes)
        messages = self.consumer.consume(
            min(max(most, 1), READ_RECORDS), BUSY_SECONDS if self.fleet.in_flight else IDLE_SECONDS
        )
        if any(map(Message.error, messages)):
            for error in filter(None, map(Message.error, messages)):
                self._client_error(error)
            return [message for message in messages if message.error() is None]
        return messages

    def _client_error(self, error: KafkaError) -> None:
        """The log or our right to read it has changed: a new process finds out how. All else the client mends."""
        if beyond_repair(error):
            raise Fatal(f"consumer: {error.str()}")
        self.log.warning("consumer", extra={"error": error.str()})

    def _room(self, now: float) -> bool:
        """Whether to read now. A fleet that stays full is paused, and then read all the same, to stay in the group."""
        if self.fleet.size < self.bytes_in_flight:
            self.full_since = None
            return True
        self.full_since = self.full_since or now
        if now - self.full_since < FULL_SECONDS:
            time.sleep(BUSY_SECONDS)
            return False
        return True

    def _pause(self, now: float) -> None:
        """Pause what cannot go on, resume what can."""
        full = self.full_since is not None and now - self.full_since >= FULL_SECONDS
        low = self.fleet.size < self.bytes_in_flight * RESUME_AT
        for lane in self.fleet.lanes.values():
            if not lane.paused and (lane.blocked or full):
                self._set_paused(lane, paused=True)
            elif lane.paused and not lane.blocked and low:
                self._set_paused(lane, paused=False)

    def _set_paused(self, lane: Lane, *, paused: bool) -> None:
        part = [TopicPartition(lane.topic, lane.partition)]
        (self.consumer.pause if paused else self.consumer.resume)(part)
        lane.paused = paused

    def _watch(self) -> None:
        lanes, now = self.fleet.lanes.values(), time.monotonic()
        self.state.longest = self.fleet.longest(now)
        self.state.stopped = tuple(str(lane.stopped) for lane in lanes if lane.stopped)
        self.state.turned = now
        self._gauge(BYTES_IN_FLIGHT, self.fleet.size)
        self._gauge(ASSIGNED, len(lanes))
        self._gauge(PAUSED, sum(lane.paused for lane in lanes))
        self._gauge(STOPPED, len(self.state.stopped))
        self.lag.tell(now)

    def _gauge(self, metric: Metric, value: float) -> None:
        self.meter.record(Sample(metric, value))

    def _tell(self, ended: Ended) -> None:
        for sample in ended.samples:
            self.meter.record(sample)
        if ended.settled is not None:
            say = self.log.warning if ended.settled.gaps else self.log.info
            say("settled", extra=fields(ended.part) | settled_fields(ended.settled, ended.seconds))
        else:
            self.log.error("not settled", extra=fields(ended.part) | {"error": str(ended.error)})
