"""Exponential backoff with jitter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """At most `initial_seconds` before the second attempt, doubled for each further attempt, up to `max_seconds`."""

    initial_seconds: float = 0.2
    max_seconds: float = 20.0

    def delay(self, attempt: int, jitter: float) -> float:
        """Seconds to wait after failed attempt 1, 2, ...; `jitter` is a random number in [0, 1).

        Half of the delay is random, so that partitions that failed together do not retry together.
        """
        ceiling = min(self.max_seconds, self.initial_seconds * 2.0 ** min(attempt - 1, 30))
        return ceiling * (0.5 + jitter / 2)
