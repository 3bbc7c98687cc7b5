"""Many independent writes side by side, through a pool whose size bounds them."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Executor, wait
from typing import TypeVar

Item = TypeVar("Item")


def for_each(pool: Executor, write: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Return when all are written. After an error what has not begun never does, and it is raised when none runs."""
    done, rest = wait([pool.submit(write, item) for item in items], return_when=FIRST_EXCEPTION)
    running = [future for future in rest if not future.cancel()]
    wait(running)
    for future in (*done, *running):
        future.result()
