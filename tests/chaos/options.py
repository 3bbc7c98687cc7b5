"""What a run is asked for, and what follows from it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """As given on the command line; times in seconds, sizes in bytes."""

    records: int
    faults: int
    seed: int
    out: Path
    session: float  # how long the group waits for a member that is silent
    bytes_in_flight: int
    only: tuple[str, ...] = ()  # kinds of faults; empty: all

    @property
    def round_seconds(self) -> float:
        """How long the records of a round are produced: each fault has one."""
        return 2 * self.session + 1

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.faults / self.round_seconds

    @property
    def most_lag(self) -> int:
        """Records: beyond it production waits, so that the run ends in time on a slow machine."""
        return max(20_000, self.records // 8)
