"""What a fault has access to, and its waits, which also replace processes that ended unexpectedly."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.load import Load
from tests.chaos.monitor import ChaosMonitor
from tests.chaos.options import ChaosOptions
from tests.chaos.runtimes import Runtimes
from tests.chaos.stack import ChaosStack
from tests.proxy.proxy import FaultRule, no_fault

POLL_SECONDS: Final = 0.05
RECOVERY_SECONDS: Final = 120.0


@dataclass(frozen=True)
class FaultContext:
    """For the thread that injects the faults."""

    stack: ChaosStack
    load: Load
    runtimes: Runtimes
    watch: ChaosMonitor
    random: Random
    options: ChaosOptions

    def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Return whether the condition holds within that time. Raises Stuck."""
        end = time.monotonic() + seconds
        while not true():
            self.watch.check()
            self.runtimes.replace_ended()
            if time.monotonic() > end:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def wait(self, seconds: float) -> None:
        """Wait for so many seconds. Raises Stuck."""
        self.until(lambda: False, seconds)

    def sessions(self, shortest: float, longest: float) -> float:
        """Return a random time in seconds, between two multiples of the session timeout."""
        return self.random.uniform(shortest, longest) * self.options.session

    def moves_on(self) -> bool:
        """Wait until something is settled again, or nothing is left to settle."""
        before = self.watch.settled
        return self.until(lambda: self.watch.settled > before or not self.load.lag, RECOVERY_SECONDS)

    @contextmanager
    def store_fault(self, rule: FaultRule) -> Iterator[None]:
        """Apply a fault rule between the runtimes and their stores."""
        self.stack.proxy.fault = rule
        try:
            yield
        finally:
            self.stack.proxy.fault = no_fault
