"""An alarm: a metric, its threshold and duration, and a message. Each has a page in docs/runbooks.

Laws: a condition that recovers without help never raises an alarm, so every condition must last. Missing data raises no
alarm, because a disabled runtime and a topic without records send none. Lag must never be missed, so the brokers
measure it.
"""

from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

RUNBOOKS: Final = "docs/runbooks"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Raised if `metric` exceeds `above` in `breaching` of the last `periods`. `message` is for the person on call."""

    name: str
    message: str
    metric: cloudwatch.Metric | cloudwatch.MathExpression
    above: float = 0
    breaching: int = 1
    periods: int = 1
    page: str = ""

    @property
    def runbook(self) -> str:
        """The file name of its page in docs/runbooks."""
        return f"{self.page or self.name}.md"

    @property
    def minutes(self) -> int:
        """Length of a period in minutes."""
        return int(self.metric.period.to_minutes())


def create(scope: Construct, name: str, alarm: Alarm, topic: sns.ITopic | None, runbooks: str) -> cloudwatch.Alarm:
    """Create an alarm, which `topic` announces if there is one. `runbooks`: the folder or address of the pages."""
    created = cloudwatch.Alarm(
        scope,
        name,
        alarm_name=name,
        alarm_description=f"{alarm.message} {runbooks}/{alarm.runbook}",
        metric=alarm.metric,
        threshold=alarm.above,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        datapoints_to_alarm=alarm.breaching,
        evaluation_periods=alarm.periods,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    if topic:
        action = actions.SnsAction(topic)
        created.add_alarm_action(action)
        created.add_ok_action(action)
    return created
