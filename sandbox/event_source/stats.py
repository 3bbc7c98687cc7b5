"""The statistics of an event source, counted from several threads."""

from collections import Counter
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Stats:
    """`records` and `batches` count when done or given up. `durations` are seconds per invocation."""

    records: int = 0
    batches: int = 0
    given_up: int = 0  # batches
    invocations: int = 0
    failures: int = 0  # invocations
    retries: int = 0  # invocations that were not the first of their batch
    environments: int = 0  # child processes started
    commit_failures: int = 0
    durations: tuple[float, ...] = ()


class StatsCounter:
    """The mutable side of Stats."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._durations: list[float] = []

    def count(self, **more: int) -> None:
        """Add to the fields of Stats with these names."""
        with self._lock:
            self._counts.update(more)

    def took(self, seconds: float) -> None:
        """Add the duration of an invocation."""
        with self._lock:
            self._durations.append(seconds)

    def stats(self) -> Stats:
        """Return a snapshot."""
        with self._lock:
            return Stats(**self._counts, durations=tuple(self._durations))
