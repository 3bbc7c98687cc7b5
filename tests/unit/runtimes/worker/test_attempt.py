"""An attempt in flight: when it begins, how long it has been in one step, and how it is abandoned."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from functions.core.settle import Settled
from functions.runtimes.worker.attempt import AttemptInFlight
from tests.unit.runtimes.worker.threads import NoThread, SameThread
from tests.unit.runtimes.world import StubSettlement, slice_of


def stub(**state: Any) -> Any:
    settlement = StubSettlement(lambda _: Settled(), slice_of(b"v"))
    for name, value in state.items():
        setattr(settlement, name, value)
    return settlement


def running(settlement: Any) -> AttemptInFlight:
    """An attempt whose thread began at 10 s; its settlement has ended, but the stub tells what a test sets."""
    return AttemptInFlight(settlement, SameThread(), lambda: 10.0)


def test_an_attempt_that_waits_for_a_thread_has_not_begun() -> None:
    threads = NoThread()
    attempt = AttemptInFlight(stub(), threads, lambda: 10.0)
    assert (attempt.seconds(1000.0), attempt.still(1000.0)) == (0.0, 0.0)
    threads.calls[0]()
    assert (attempt.seconds(12.0), attempt.still(12.0)) == (2.0, 2.0)


def test_each_step_is_timed_by_itself() -> None:
    settlement = stub()
    attempt = running(settlement)
    assert attempt.still(50.0) == 40.0
    settlement.evaluating, settlement.evaluations = True, 1
    assert attempt.still(60.0) == 0.0
    assert attempt.still(75.0) == 15.0
    settlement.evaluations = 2  # the next piece of a narrowed slice
    assert attempt.still(76.0) == 0.0
    settlement.evaluating = False
    assert attempt.still(80.0) == 0.0
    assert attempt.seconds(80.0) == 70.0


def test_an_attempt_in_the_stores_is_abandoned_and_one_in_the_pipelines_code_is_not() -> None:
    in_stores, in_code = stub(), stub(evaluating=True)
    for settlement in (in_stores, in_code):
        release = Event()
        settlement.run = release.wait
        with ThreadPoolExecutor(1) as threads:
            attempt = AttemptInFlight(settlement, threads, lambda: 0.0)
            while attempt.began is None:
                pass
            attempt.abandon()
            release.set()
    assert (in_stores.releases, in_code.releases) == (1, 0)


def test_an_attempt_that_has_not_begun_never_begins() -> None:
    threads, settlement = NoThread(), stub()
    attempt = AttemptInFlight(settlement, threads, lambda: 0.0)
    attempt.abandon()
    assert attempt.future.cancelled()
    assert settlement.releases == 0
