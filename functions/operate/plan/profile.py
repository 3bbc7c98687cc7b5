"""The traffic of a pipeline over a day: records per second in each of 24 hours, in UTC."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final

from functions.core.errors import Misconfigured
from functions.operate.hours import HOURS, hours_of

EXPECTED: Final = "expected 24 rates in records/s, as JSON [10, 12.5, ...] or CSV lines of hour,rate"


@dataclass(frozen=True, slots=True)
class TrafficProfile:
    """`rates`: records/s in each hour of a day, in UTC. `source` says where they come from."""

    rates: tuple[float, ...]
    source: str

    @property
    def peak(self) -> float:
        """The highest rate."""
        return max(self.rates)


def flat(rate: float, peak: float | None, peak_hours: str | None) -> TrafficProfile:
    """Return a profile of one rate, and of another one from an hour until before another, such as 18-22."""
    rates = [checked("--rate", rate)] * HOURS
    if (peak is None) is not (peak_hours is None):
        raise Misconfigured("--peak, --peak-hours: expected both, such as --peak 20000 --peak-hours 18-22, or neither")
    if peak is not None and peak_hours is not None:
        hours = hours_of(peak_hours)
        if hours is None:
            raise Misconfigured(f"--peak-hours: got {peak_hours!r}, expected two hours of a day such as 18-22")
        for hour in hours:
            rates[hour] = checked("--peak", peak)
    return TrafficProfile(tuple(rates), "given by options")


def read_profile(file: Path) -> TrafficProfile:
    """Return the profile of a file. Misconfigured says what is wrong with it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else EXPECTED
        raise Misconfigured(f"--profile {file}: {why}") from None
    rates = _from_json(text) if text.lstrip().startswith("[") else _from_csv(text)
    if rates is None or len(rates) != HOURS:
        raise Misconfigured(f"--profile {file}: {EXPECTED}, got {'no rates' if not rates else len(rates)}")
    return TrafficProfile(tuple(checked(f"--profile {file}", rate) for rate in rates), str(file))


def _from_json(text: str) -> Sequence[object] | None:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, list) else None


def _from_csv(text: str) -> Sequence[object] | None:
    rows = [row for row in csv.reader(text.splitlines()) if row and row[0].strip().isdecimal()]
    try:
        by_hour = {int(row[0]): float(row[1]) for row in rows}
    except (ValueError, IndexError):
        return None
    return [by_hour[hour] for hour in sorted(by_hour)] if sorted(by_hour) == list(range(HOURS)) else None


def checked(name: str, rate: object) -> float:
    """Return a rate. Misconfigured unless it is a finite number that is not negative."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not isfinite(rate) or rate < 0:
        raise Misconfigured(f"{name}: got {rate!r}, expected records/s, 0 or more")
    return float(rate)
