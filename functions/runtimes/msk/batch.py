"""One batch of the event source mapping: its slices settle side by side, each tried again within the time left."""

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field

from functions.core.backoff import Backoff
from functions.core.errors import Flood, Retry, Stop
from functions.core.metrics import FLOODS, RECORD_AGE, RETRIES, STOPS
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.telemetry import Sample, age, samples


class OutOfTime(Retry):
    """The invocation ends before the slice is settled."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a slice ended: settled, or with the error that leaves it unacknowledged."""

    part: Slice
    result: Settled | BaseException
    seconds: float
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Settles the slices of a batch on `threads`. Times are of the monotonic clock, in seconds."""

    settle: Callable[[Slice], Settled]
    threads: Executor
    backoff: Backoff = field(default_factory=Backoff)

    def run(self, parts: Sequence[Slice], deadline: float) -> list[Outcome]:
        """One outcome for each slice, by the deadline.

        A slice that has not ended by then is left: its thread does no harm, the ledger sees to that.
        """
        began = time.monotonic()
        futures = {self.threads.submit(self._attempts, part, deadline): part for part in parts}
        wait(futures, timeout=max(0.0, deadline - began))
        return [_outcome(future, part, began) for future, part in futures.items()]

    def _attempts(self, part: Slice, deadline: float) -> Outcome:
        began, retries = time.monotonic(), 0
        while True:
            try:
                return _settled(part, self.settle(part), began, retries)
            except Retry as error:
                retries += 1
                delay = self.backoff.delay(retries, random.random())  # noqa: S311 - jitter, not a secret
                if time.monotonic() + delay >= deadline:
                    return _failed(part, error, began, retries)
                time.sleep(delay)
            except Exception as error:  # noqa: BLE001 - the other slices go on; the handler raises this one
                return _failed(part, error, began, retries)


def _settled(part: Slice, settled: Settled, began: float, retries: int) -> Outcome:
    seconds, now = time.monotonic() - began, time.time()
    return Outcome(part, settled, seconds, (*samples(part, settled, seconds, now), *_ended(part, now, retries)))


def _failed(part: Slice, error: Exception, began: float, retries: int) -> Outcome:
    stops = [Sample(STOPS, 1)] if isinstance(error, Stop) else []
    floods = [Sample(FLOODS, 1)] if isinstance(error, Flood) else []
    ended = _ended(part, time.time(), retries)
    return Outcome(part, error, time.monotonic() - began, (*stops, *floods, *ended))


def _ended(part: Slice, now: float, retries: int) -> list[Sample]:
    """What is told however it ended. A batch that fails comes again, so the age of its records grows and shows."""
    oldest = age(next(iter(part.timestamps), -1), now)
    return [
        *([Sample(RETRIES, retries)] if retries else []),
        *([] if oldest is None else [Sample(RECORD_AGE, oldest)]),
    ]


def _outcome(future: Future[Outcome], part: Slice, began: float) -> Outcome:
    if future.done():
        return future.result()
    future.cancel()
    return _failed(part, OutOfTime(f"{part}: not settled when the time was up"), began, 0)
