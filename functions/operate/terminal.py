"""How a verb that changes much talks to the person who runs it: what it says, its progress, and being interrupted."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

Item = TypeVar("Item")
CHUNK: Final = 100  # records that are held in memory at a time


@contextmanager
def _undeferred() -> Iterator[Callable[[], bool]]:
    yield lambda: False


@dataclass(frozen=True, slots=True)
class Terminal:
    """`say` prints a line, `progress` gets (done, total).

    `deferring` is entered for what must not be interrupted halfway; what it yields returns whether an interrupt waits.
    `wait` sleeps for seconds, `clock` returns seconds.
    """

    say: Callable[[str], None]
    progress: Callable[[int, int], None] = lambda _done, _total: None
    deferring: Callable[[], AbstractContextManager[Callable[[], bool]]] = _undeferred
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def chunks(self, items: Sequence[Item], per_second: int | None = None) -> Iterator[Sequence[Item]]:
        """Yield the items in chunks, at most so many per second. Raises KeyboardInterrupt only between two chunks."""
        size = CHUNK if per_second is None else min(CHUNK, per_second)
        next_begin = self.clock()
        for begin in range(0, len(items), size):
            chunk = items[begin : begin + size]
            if per_second is not None:
                self.wait(max(0.0, next_begin - self.clock()))
                next_begin = max(next_begin, self.clock()) + len(chunk) / per_second
            with self.deferring() as is_interrupted:
                yield chunk
                interrupted = is_interrupted()
            self.progress(begin + len(chunk), len(items))
            if interrupted and begin + len(chunk) < len(items):
                raise KeyboardInterrupt
