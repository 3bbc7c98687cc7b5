"""How long to wait before coming again: exponential, half of it jittered, so that not all partitions come at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds: at most `first` before the second attempt, doubling up to `most`."""

    first: float = 0.2
    most: float = 20.0

    def delay(self, attempt: int, jitter: float) -> float:
        """Seconds to wait after failed attempt 1, 2, ...; `jitter` is a random number in [0, 1)."""
        ceiling = min(self.most, self.first * 2.0 ** min(attempt - 1, 30))
        return ceiling * (0.5 + jitter / 2)
