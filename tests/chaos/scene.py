"""What a fault may lay hands on, and how it waits: without forgetting to replace what ended by itself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.crew import Crew
from tests.chaos.ground import Ground
from tests.chaos.load import Load
from tests.chaos.options import Options
from tests.chaos.watch import Watch
from tests.proxy.proxy import Weather, fair

GLANCE: Final = 0.05
RECOVERY_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Scene:
    """Of the thread that does the harm."""

    ground: Ground
    load: Load
    crew: Crew
    watch: Watch
    random: Random
    options: Options

    def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true within that time. Raises Stuck."""
        end = time.monotonic() + seconds
        while not true():
            self.watch.check()
            self.crew.tend()
            if time.monotonic() > end:
                return False
            time.sleep(GLANCE)
        return True

    def wait(self, seconds: float) -> None:
        """So long."""
        self.until(lambda: False, seconds)

    def sessions(self, least: float, most: float) -> float:
        """A random time, in seconds, of so many session timeouts."""
        return self.random.uniform(least, most) * self.options.session

    def moves_on(self) -> bool:
        """Wait until something is settled again, or nothing is left to settle."""
        before = self.watch.settled
        return self.until(lambda: self.watch.settled > before or not self.load.lag, RECOVERY_SECONDS)

    @contextmanager
    def weather(self, bad: Weather) -> Iterator[None]:
        """Between the runtimes and their stores."""
        self.ground.proxy.weather = bad
        try:
            yield
        finally:
            self.ground.proxy.weather = fair
