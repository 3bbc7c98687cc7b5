"""The traffic that a stage had, as the profile of a day."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from functions.core.errors import Misconfigured
from functions.core.operator_ports import TrafficHistory
from functions.operate.hours import HOURS
from functions.operate.plan.profile import TrafficProfile

DAYS: Final = 14
HOUR_SECONDS: Final = 3600


def measured_profile(history: TrafficHistory, now: datetime, days: int = DAYS) -> TrafficProfile:
    """Return the mean rate of each hour of the day, over the days that have any. Misconfigured without a record.

    An hour without a metric settled nothing; days before the first metric do not count.
    """
    end = now.replace(minute=0, second=0, microsecond=0)  # without the hour that has not ended
    found = history.hourly(end - timedelta(days=days), end)
    if not any(found.values()):
        raise Misconfigured(
            f"--stage: its metrics show no records in the last {days} days: give a profile by --rate or --profile"
        )
    first = min(found)
    sums, hours = defaultdict[int, float](float), defaultdict[int, int](int)
    for number in range(int((end - first).total_seconds()) // HOUR_SECONDS):
        time = first + timedelta(hours=number)
        sums[time.hour] += found.get(time, 0.0)
        hours[time.hour] += 1
    rates = (sums[hour] / hours[hour] / HOUR_SECONDS if hours[hour] else 0.0 for hour in range(HOURS))
    return TrafficProfile(tuple(rates), f"measured since {first:%Y-%m-%d %H:00}Z")
