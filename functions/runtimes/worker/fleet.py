"""All lanes of a worker: records that were read go in, slices are settled on threads, ended attempts come out."""

import random
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Final

from functions.core.backoff import Backoff
from functions.core.errors import Fatal, Incomplete, Refused, Retry, Stop
from functions.core.settle import Settled, Settlement
from functions.core.slice import Slice
from functions.runtimes.worker.attempt import AttemptInFlight
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.records import Run
from functions.telemetry import Attempt, age

ABANDON_SECONDS: Final = 1.0  # how long abandoned attempts may take to say that no record is suspected
REOPEN_SECONDS: Final = 30.0  # how soon a stopped partition is opened again, in case an operator has resumed it


@dataclass(slots=True)
class Fleet:
    """Lanes by partition. `clock` returns Unix seconds, for metrics only; other times are of the monotonic clock."""

    begin: Callable[[Slice], Settlement]
    threads: Executor
    clock: Callable[[], float]
    backoff: Backoff = field(default_factory=Backoff)
    lanes: dict[int, Lane] = field(default_factory=dict)
    monotonic: Callable[[], float] = time.monotonic

    @property
    def size(self) -> int:
        """Bytes that were read and are not settled."""
        return sum(lane.size for lane in self.lanes.values())

    @property
    def in_flight(self) -> int:
        """The number of slices that are being settled."""
        return sum(lane.attempt is not None for lane in self.lanes.values())

    def longest(self, now: float) -> float:
        """Seconds for which an attempt in flight has been in the same step; 0 if there is none."""
        return max((lane.attempt.still(now) for lane in self.lanes.values() if lane.attempt), default=0.0)

    def oldest(self) -> float:
        """Age in seconds of the oldest record that was read and is not settled; 0 if there is none."""
        now = self.clock()
        return max((age(lane.oldest_timestamp, now) or 0.0 for lane in self.lanes.values()), default=0.0)

    def add(self, runs: Iterable[Run], now: float) -> None:
        """Add records that were read. Those of a partition that was just revoked are left to its next owner."""
        for run in runs:
            lane = self.lanes.get(run.partition)
            if lane is None:
                continue
            if run.topic == lane.topic:
                lane.add(run, now)
            else:
                error = Refused(f"{lane.topic}-{lane.partition}: expected its records, got some of topic {run.topic!r}")
                lane.stop(error, now + REOPEN_SECONDS)

    def start(self, now: float, hurry: Callable[[Lane], bool] = lambda _: False) -> None:
        """Start to settle every slice that is due. All waiting records of a lane in a hurry are due, to make room."""
        for lane in self.lanes.values():
            try:
                slice_ = lane.next_slice(now, hurry=hurry(lane))
            except Refused as error:
                lane.stop(error, now + REOPEN_SECONDS)
            else:
                if slice_ is not None:
                    settlement = lane.settlement or self.begin(slice_)
                    lane.start(settlement, AttemptInFlight(settlement, self.threads, self.monotonic))

    def ended(self, now: float) -> list[Attempt]:
        """Return the attempts that ended since the last call.

        Raises an attempt's error that is neither Retry nor Stop, because it means that this process is broken.
        """
        return [
            self._end(lane, lane.attempt, lane.slice_, now)
            for lane in self.lanes.values()
            if lane.attempt is not None and lane.slice_ is not None and lane.attempt.future.done()
        ]

    def draining(self, partitions: Collection[int]) -> bool:
        """Whether slices of these partitions are in flight; they start no further ones."""
        lanes = [self.lanes[partition] for partition in partitions if partition in self.lanes]
        for lane in lanes:
            lane.draining = True
        return any(lane.attempt is not None for lane in lanes)

    def abandon(self, partitions: Collection[int]) -> None:
        """Release the attempts of these partitions, as far as the ledger answers in time.

        So that a deploy or a store outage makes no record suspect. Only attempts in the pipeline's code are left.
        """
        attempts = [lane.attempt for number in partitions if (lane := self.lanes.get(number)) and lane.attempt]
        threads = [Thread(target=attempt.abandon, name="abandon", daemon=True) for attempt in attempts]
        for thread in threads:
            thread.start()
        end = time.monotonic() + ABANDON_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _end(self, lane: Lane, attempt: AttemptInFlight, slice_: Slice, now: float) -> Attempt:
        result, retries, seconds = _result(attempt.future), 0, attempt.seconds(now)
        match result:
            case Settled():
                lane.settled(seconds)
            case Stop():
                lane.stop(result, now + REOPEN_SECONDS)
            case _:
                retries, progress = 1, isinstance(result, Incomplete)
                delay = self.backoff.delay(1 if progress else lane.failures + 1, random.random())  # noqa: S311 - jitter
                lane.failed(now + delay, progress=progress)
        return Attempt(slice_, result, seconds, self.clock(), retries)


def _result(future: Future[Settled]) -> Settled | Retry | Stop:
    """Return the result of a finished future, or its Retry or Stop. Raises any other error."""
    try:
        return future.result()
    except (Retry, Stop) as error:
        return error
    except Exception:
        raise
    except BaseException as error:
        raise Fatal(f"an attempt ended with {type(error).__name__}") from error
