"""Many independent writes side by side, through a pool whose size bounds them."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, wait
from typing import TypeVar

Item = TypeVar("Item")


def for_each(pool: Executor, write: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Return when all are written. Raises the first error once none is running any more; what had not begun never does."""
    futures = [pool.submit(write, item) for item in items]
    try:
        for future in futures:
            future.result()
    finally:
        for future in futures:
            future.cancel()
        wait(futures)
