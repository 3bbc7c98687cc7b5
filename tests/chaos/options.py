"""The options of a run, and what is derived from them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    """The options of the command line; times are in seconds, sizes in bytes."""

    records: int
    faults: int
    seed: int
    out: Path
    session: float  # how long the group waits for a silent member
    bytes_in_flight: int
    only: tuple[str, ...] = ()  # kinds of faults; empty: all

    @property
    def round_seconds(self) -> float:
        """The duration of producing a round's records; each fault has a round."""
        return 2 * self.session + 1

    @property
    def rate(self) -> float:
        """Records produced per second."""
        return self.records / self.faults / self.round_seconds

    @property
    def max_lag(self) -> int:
        """The lag in records at which production waits, so that the run ends in time on a slow machine."""
        return max(20_000, self.records // 8)
