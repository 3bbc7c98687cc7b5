"""Which runtime a pipeline should run on now: by the time of day, by lag, or by both.

Pure, and without a memory: the runtime that is enabled is the state, and two limits of the lag keep it from flapping.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.core.errors import Misconfigured
from functions.core.handover_ports import Runtime
from functions.operate.hours import hours_of


@dataclass(frozen=True, slots=True)
class HandoverPolicy:
    """`worker_hours`: the hours of the workers, in `zone`; Lambda has the others. None: the workers have all.

    `burst_lag`: records above which Lambda takes over at any time, until the lag is below `calm_lag`. None: no limit.
    """

    worker_hours: frozenset[int] | None = None
    zone: str = "UTC"
    burst_lag: int | None = None
    calm_lag: int = 0

    def choose(self, now: datetime, lag: int | None, current: Runtime | None) -> Runtime:
        """Return the runtime for this moment. `lag` is None while it is unknown, and then decides nothing."""
        by_time = self._by_time(now)
        if self.burst_lag is None or lag is None:
            return by_time
        if lag > self.burst_lag or (lag >= self.calm_lag and current is Runtime.MSK):
            return Runtime.MSK
        return by_time

    def _by_time(self, now: datetime) -> Runtime:
        if self.worker_hours is None or now.astimezone(ZoneInfo(self.zone)).hour in self.worker_hours:
            return Runtime.WORKER
        return Runtime.MSK


def policy(worker_hours: str | None, zone: str, burst_lag: int | None, calm_lag: int | None) -> HandoverPolicy:
    """Return the policy of the options. Misconfigured says what is missing or wrong."""
    if worker_hours is None and burst_lag is None:
        raise Misconfigured("--to auto: expected --worker-hours, such as 08-20, --burst-lag, or both")
    if calm_lag is not None and (burst_lag is None or calm_lag > burst_lag):
        raise Misconfigured("--calm-lag: expected a lag that is not above --burst-lag")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Misconfigured(f"--time-zone: got {zone!r}, expected a name such as Europe/Berlin") from None
    hours = None if worker_hours is None else frozenset(_hours(worker_hours))
    calm = calm_lag if calm_lag is not None else (burst_lag or 0) // 10
    return HandoverPolicy(hours, zone, burst_lag, calm)


def _hours(text: str) -> list[int]:
    """Return the hours of `08-12, 22-02`."""
    hours: list[int] = []
    for part in map(str.strip, text.split(",")):
        of_part = hours_of(part)
        if of_part is None:
            raise Misconfigured(f"--worker-hours: got {part!r}, expected hours such as 08-20 or 06-09, 22-02")
        hours += of_part
    return hours
