"""Writers that start at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

Result = TypeVar("Result")
RACERS = 6


def raced(action: Callable[[int], Result]) -> list[Result]:
    """Return the result of each writer, by its number."""
    barrier = Barrier(RACERS)

    def run(number: int) -> Result:
        barrier.wait()
        return action(number)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))
