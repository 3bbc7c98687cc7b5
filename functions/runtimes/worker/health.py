"""The worker's health.

/healthz  200 while the worker makes progress: its loop turns, no attempt has been in the same step for longer than the
          stall limit, and it has not been unready for twice that long. A store outage is not a reason to restart,
          because attempts end and are retried; neither is a queue, because an attempt begins when its thread does.
/readyz   200 while a broker is connected and the group has assigned this worker its partitions, possibly none. Stopped
          partitions are named, but do not matter: another worker could not settle them either.
"""

from dataclasses import dataclass
from typing import Final

LOOP_SECONDS: Final = 60.0  # the longest turn of the loop, drains excluded
BROKER_SECONDS: Final = 20.0  # statistics report connections every few seconds


@dataclass(slots=True)
class State:
    """The worker's state, written by its loop and read by the probes. Each attribute is assigned atomically.

    Times are of the monotonic clock.
    """

    turned: float  # time of the loop's last turn
    turn_seconds: float = LOOP_SECONDS  # the longest turn that counts as healthy
    longest: float = 0.0  # seconds that an attempt in flight has been in the same step, at that turn
    assigned: bool = False
    brokers_seen: float = 0.0  # when a broker was last known to be connected
    was_ready: float = 0.0  # when it was last ready, or started
    stopped: tuple[str, ...] = ()  # the errors of stopped partitions

    def turn(self, now: float) -> None:
        """Note that the loop has turned."""
        if self.unready(now) is None:
            self.was_ready = now
        self.turned = now

    def unhealthy(self, now: float, stall_seconds: float) -> str | None:
        """Return why the worker makes no progress, or None."""
        if now - self.turned > self.turn_seconds:
            return f"the loop has not turned for {now - self.turned:.0f} s"
        if self.longest > stall_seconds:
            return f"an attempt has been in the same step for {self.longest:.0f} s, the limit is {stall_seconds:g} s"
        if self.turned - self.was_ready > 2 * stall_seconds:
            return f"not ready for {self.turned - self.was_ready:.0f} s: {self.unready(self.turned)}"
        return None

    def unready(self, now: float) -> str | None:
        """Return why the worker is not ready, or None."""
        if not self.assigned:
            return "the group has not assigned partitions"
        if now - self.brokers_seen > BROKER_SECONDS:
            return f"no broker has been connected for {now - self.brokers_seen:.0f} s"
        return None
