"""All lanes of a worker: records that were read go in, slices are settled on threads, settled offsets come out."""

import random
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, wait
from dataclasses import dataclass, field

from functions.core.backoff import Backoff
from functions.core.errors import Flood, Retry, Stop
from functions.core.metrics import FLOODS, RETRIES, STOPS
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.records import Run
from functions.telemetry import Sample, age, samples


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that has ended. `error` None: settled, and `part.end` + 1 may be committed."""

    part: Slice
    settled: Settled | None
    error: Retry | Stop | None
    seconds: float
    samples: tuple[Sample, ...]


@dataclass(slots=True)
class Fleet:
    """`clock` is the wall clock in Unix seconds, for metrics only; all other times are of the monotonic clock."""

    settle: Callable[[Slice], Settled]
    threads: Executor
    clock: Callable[[], float]
    backoff: Backoff = field(default_factory=Backoff)
    lanes: dict[int, Lane] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that are read and not settled."""
        return sum(lane.size for lane in self.lanes.values())

    @property
    def in_flight(self) -> int:
        """How many slices are being settled."""
        return sum(lane.future is not None for lane in self.lanes.values())

    def longest(self, now: float) -> float:
        """Seconds that the oldest attempt in flight has taken so far."""
        return max((now - lane.began for lane in self.lanes.values() if lane.future is not None), default=0.0)

    def oldest(self) -> float:
        """Age in seconds of the oldest record that is not settled, as far as any was read; 0 when there is none."""
        now = self.clock()
        return max((age(lane.oldest_timestamp, now) or 0.0 for lane in self.lanes.values()), default=0.0)

    def add(self, runs: Iterable[Run], now: float) -> None:
        """Take what was read; records of a partition that has just been revoked are left to its next owner."""
        for run in runs:
            if run.partition in self.lanes:
                self.lanes[run.partition].add(run, now)

    def start(self, now: float, *, hurry: bool = False) -> None:
        """Settle every slice that is due; in a `hurry` whatever waits is, because there is no room to gather more."""
        for lane in self.lanes.values():
            part = lane.next_slice(now, hurry=hurry)
            if part is not None:
                lane.start(self.threads.submit(self.settle, part), now)

    def ended(self, now: float) -> list[Ended]:
        """The attempts that have ended since the last call.

        Raises what is neither Retry nor Stop: this process is broken.
        """
        return [self._end(lane, now) for lane in self.lanes.values() if lane.future is not None and lane.future.done()]

    def wait(self, partitions: Iterable[int], seconds: float) -> None:
        """Wait until the slices in flight of these partitions have ended, at most so long."""
        lanes = (self.lanes[partition] for partition in partitions if partition in self.lanes)
        wait([lane.future for lane in lanes if lane.future is not None], timeout=seconds)

    def _end(self, lane: Lane, now: float) -> Ended:
        assert lane.future is not None and lane.part is not None  # noqa: S101, PT018 - what `ended` selects
        part, seconds = lane.part, now - lane.began
        try:
            settled = lane.future.result()
        except Retry as error:
            lane.failed(now + self.backoff.delay(lane.attempts + 1, random.random()))  # noqa: S311 - jitter, not a secret
            return Ended(part, None, error, seconds, (Sample(RETRIES, 1),))
        except Stop as error:
            lane.stop(error)
            floods = (Sample(FLOODS, 1),) if isinstance(error, Flood) else ()
            return Ended(part, None, error, seconds, (Sample(STOPS, 1), *floods))
        lane.settled()
        return Ended(part, settled, None, seconds, tuple(samples(part, settled, seconds, self.clock())))
