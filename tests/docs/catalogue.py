"""The tables of docs/metrics.md: every metric, every alarm, every field of a log line."""

from collections.abc import Iterator, Sequence

from cdk import node

node.use()

from cdk.choices import StandardKafka  # noqa: E402
from cdk.config import StageConfig  # noqa: E402
from cdk.monitoring import pipeline_alarms, stage_alarms  # noqa: E402 - importing aws_cdk starts Node
from cdk.monitoring.alarm import Alarm  # noqa: E402
from functions import registry  # noqa: E402
from functions.core.metrics import BOTH, METRICS, PREFIX, Metric  # noqa: E402
from functions.telemetry import FIELDS  # noqa: E402


def metrics() -> str:
    """Every metric, with its names in both exporters."""
    return _table(
        ("CloudWatch", "Prometheus", "labels", "type", "unit", "reported by", "meaning"),
        ((f"`{each.name}`", f"`{PREFIX}{each.name}`", *_described(each)) for each in METRICS),
    )


def alarms() -> str:
    """The alarms of a stage with standard brokers, which has every alarm."""
    zones = ("us-east-1a", "us-east-1b", "us-east-1c")
    stage = StageConfig(name="prod", region="us-east-1", zones=zones, kafka=StandardKafka(kind="standard"))
    pipeline = registry.load("logins")
    every = [*pipeline_alarms.of_pipeline(stage, pipeline, "cluster"), *stage_alarms.of_stage(stage, "cluster")]
    return _table(("alarm", "means", "when", "runbook"), map(_alarm, every))


def fields() -> str:
    """The fields of a log line about a slice."""
    return _table(("field", "meaning"), ((f"`{name}`", meaning) for name, meaning in FIELDS.items()))


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _described(metric: Metric) -> tuple[str, ...]:
    runtimes = "both" if metric.runtimes == BOTH else ", ".join(metric.runtimes)
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return labels, metric.kind.value, metric.unit.value.lower(), runtimes, metric.help


def _alarm(alarm: Alarm) -> tuple[str, ...]:
    when = f"above {alarm.above:g} in {alarm.breaching} of {alarm.periods} periods of {alarm.minutes} min"
    return f"`{alarm.name}`", alarm.message, when, f"[{alarm.runbook}](runbooks/{alarm.runbook})"
