"""One batch of the event source mapping: its slices settle in parallel, each retried within the time left."""

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import Final

from functions.core.backoff import Backoff
from functions.core.errors import Incomplete, Retry
from functions.core.settle import Settled, Settlement
from functions.core.slice import Slice
from functions.telemetry import Attempt

RELEASE_SECONDS: Final = 1.0  # how long abandoned attempts may take to say that no record is suspected


class OutOfTime(Retry):
    """The invocation ends before the slice is settled: its stores are slow."""


class Hung(Retry):
    """The invocation ends while code hangs that cannot be stopped, only its process.

    It is the pipeline's, or that of an own sink: stores of Tandem's answer or time out.
    """


@dataclass(frozen=True, slots=True)
class Batch:
    """Settles the slices of a batch on `threads`. Times are seconds of the monotonic clock."""

    begin: Callable[[Slice], Settlement]
    threads: Executor
    backoff: Backoff = field(default_factory=Backoff)
    left: list[Future[Attempt]] = field(default_factory=list)  # that still ran when their invocation ended

    def run(self, slices: Sequence[Slice], deadline: float) -> list[Attempt]:
        """One ended attempt for each slice, by the deadline.

        A slice that has not ended by then is abandoned: its thread can do no harm, because the ledger fences it.
        """
        started = time.monotonic()
        settlements = [self.begin(slice_) for slice_ in slices]
        futures = [
            self.threads.submit(self._attempt, slice_, settlement, deadline)
            for slice_, settlement in zip(slices, settlements, strict=True)
        ]
        wait(futures, timeout=max(0.0, deadline - started))
        attempts = [
            future.result() if future.done() else _abandoned(future, slice_, settlement, started)
            for future, slice_, settlement in zip(futures, slices, settlements, strict=True)
        ]
        out_of_time = [isinstance(attempt.error, OutOfTime) for attempt in attempts]
        _release([settlement for settlement, late in zip(settlements, out_of_time, strict=True) if late])
        hangs = any(future.running() for future in self.left)
        self.left[:] = [future for future in (*self.left, *futures) if future.running()]
        return [
            replace(attempt, result=_hung(attempt)) if late and hangs else attempt
            for attempt, late in zip(attempts, out_of_time, strict=True)
        ]

    def _attempt(self, slice_: Slice, settlement: Settlement, deadline: float) -> Attempt:
        """Settle a slice, retrying it until the deadline. A retry continues where the last one ended."""
        started, retries, failures = time.monotonic(), 0, 0
        while True:
            try:
                return _ended(slice_, settlement.run(), started, retries)
            except Retry as error:
                retries += 1
                failures = 1 if isinstance(error, Incomplete) else failures + 1  # progress: no need to wait longer
                delay = self.backoff.delay(failures, random.random())  # noqa: S311 - jitter, not a secret
                if time.monotonic() + delay >= deadline:
                    return _ended(slice_, error, started, retries)
                time.sleep(delay)
            except Exception as error:  # noqa: BLE001 - the other slices continue, and the handler raises this one
                return _ended(slice_, error, started, retries)


def _ended(slice_: Slice, result: Settled | Exception, started: float, retries: int) -> Attempt:
    return Attempt(slice_, result, time.monotonic() - started, time.time(), retries)


def _abandoned(future: Future[Attempt], slice_: Slice, settlement: Settlement, started: float) -> Attempt:
    future.cancel()
    if settlement.evaluating:
        error: Retry = Hung(f"{slice_}: the pipeline's code was still running when the time was up")
    else:
        error = OutOfTime(f"{slice_}: not settled when the time was up")
    return _ended(slice_, error, started, 0)


def _hung(attempt: Attempt) -> Hung:
    return Hung(f"{attempt.slice_}: not settled when the time was up, and an earlier attempt still occupies a thread")


def _release(settlements: Sequence[Settlement]) -> None:
    """Release abandoned attempts, as far as the ledger answers in time: what slow stores delay is not suspect."""
    threads = [Thread(target=settlement.abandon, daemon=True) for settlement in settlements]
    for thread in threads:
        thread.start()
    end = time.monotonic() + RELEASE_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
