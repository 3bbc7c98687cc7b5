"""An alarm: what to look at, from when on it hurts, and what it says. Each has a page in docs/runbooks.

Laws: what mends itself never alarms, so everything has to last; no data is no alarm, because a runtime that rests says
nothing, and a topic without records neither. What must not be silent then is measured at the brokers: the lag.
"""

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch


@dataclass(frozen=True, slots=True)
class Alarm:
    """`metric` above `above` in `least` of the last `of` periods. `says` is for whoever is woken by it."""

    name: str
    says: str
    metric: cloudwatch.Metric | cloudwatch.MathExpression
    above: float = 0
    least: int = 1
    of: int = 1
    page: str = ""

    @property
    def runbook(self) -> str:
        """Its page in docs/runbooks."""
        return f"{self.page or self.name}.md"

    @property
    def minutes(self) -> int:
        """Of a period."""
        return int(self.metric.period.to_minutes())
