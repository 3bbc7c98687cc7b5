"""What one smoke run produces, so that it can be told apart from everything else in the stage.

Laws: users have the run's prefix, so nobody else has their rows in the lake and the table. The time of events is in
minutes of the run's own, decades ahead, so nobody else counts there, and nothing expires meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Final

from sandbox.demo.logins import generate, user_ids
from sandbox.demo.records import LoginRow, Record

FIRST: Final = int(datetime(2060, 1, 1, tzinfo=UTC).timestamp())
PERIODS: Final = 70_000
PERIOD_SECONDS: Final = (
    3600  # longer than the event time of a run; all periods end in 2068, and logins are from before 2100
)
MINUTE: Final = 60
DEVICE_TYPES: Final = ("android", "ios", "web", "other", "unknown")


@dataclass(frozen=True)
class SmokePlan:
    """`run` names the run; with the same one, `count` and `seed` make the same records."""

    run: str
    count: int
    seed: int

    @property
    def prefix(self) -> str:
        """What the IDs of the run's users begin with."""
        return f"smoke-{self.run}-"

    @property
    def users(self) -> tuple[str, ...]:
        """The IDs of the run's users."""
        return user_ids(self.prefix)

    @property
    def begin(self) -> int:
        """Where the time of the run's events begins, in Unix seconds."""
        number = int.from_bytes(sha256(self.run.encode()).digest()[:8]) % PERIODS
        return FIRST + number * PERIOD_SECONDS

    @cached_property
    def records(self) -> Sequence[Record]:
        """The records."""
        return list(generate(self.count, self.seed, self.begin, self.prefix))

    @property
    def minutes(self) -> tuple[int, int]:
        """The first and the last minute of the run's rows, as Unix seconds. ValueError if there are none."""
        times = [record.expected.at for record in self.records if isinstance(record.expected, LoginRow)]
        return min(times) // MINUTE * MINUTE, max(times) // MINUTE * MINUTE
