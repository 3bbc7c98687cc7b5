"""The metrics that a template's alarms and dashboards use, and those that are emitted."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.core.metrics import METRICS, NAMESPACE
from tests.infrastructure.conftest import Templates

SEARCH: Final = re.compile(r"""SEARCH\('\{([^}]*)\} MetricName="(\w+)"([^']*)'""")
SELECT: Final = re.compile(r"SELECT \w+\((\w+)\) FROM SCHEMA\(([^)]*)\)(?: WHERE (.*))?")
WHERE: Final = re.compile(r"""([\w"][\w ]*"?) ?= ?["']([^"']*)["']""")

OWN: Final = {metric.name: metric for metric in METRICS}
GROUP: Final = frozenset({"Cluster Name", "Consumer Group", "Topic"})
BROKER: Final = frozenset({"Cluster Name", "Broker ID"})
FUNCTION: Final = frozenset({"FunctionName"})
DOCUMENTED: Final = {
    # Amazon MSK developer guide, "Metrics for monitoring Standard brokers", "... Express brokers", "... Serverless".
    ("AWS/Kafka", "SumOffsetLag"): GROUP,
    ("AWS/Kafka", "MaxOffsetLag"): GROUP,
    # "Metrics for monitoring Standard brokers", level DEFAULT.
    ("AWS/Kafka", "KafkaDataLogsDiskUsed"): BROKER,
    ("AWS/Kafka", "CpuUser"): BROKER,
    ("AWS/Kafka", "UnderMinIsrPartitionCount"): BROKER,
    ("AWS/Kafka", "OfflinePartitionsCount"): frozenset({"Cluster Name"}),
    # AWS Lambda developer guide, "Types of metrics for Lambda functions".
    ("AWS/Lambda", "Invocations"): FUNCTION,
    ("AWS/Lambda", "Errors"): FUNCTION,
    ("AWS/Lambda", "Throttles"): FUNCTION,
    ("AWS/Lambda", "Duration"): FUNCTION,
    ("AWS/Lambda", "ConcurrentExecutions"): FUNCTION,
    ("AWS/Lambda", "ProvisionedPollers"): frozenset({"EventSourceMappingUUID"}),
    # Amazon DynamoDB developer guide, "DynamoDB metrics and dimensions".
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): frozenset({"TableName"}),
    ("AWS/DynamoDB", "WriteThrottleEvents"): frozenset({"TableName"}),
    # Amazon SQS developer guide, "Available CloudWatch metrics for Amazon SQS".
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): frozenset({"QueueName"}),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): frozenset({"QueueName"}),
}


@dataclass(frozen=True)
class Watched:
    """A metric in use: with these dimensions, and these values of some of them."""

    namespace: str
    name: str
    dimensions: frozenset[str]
    values: Mapping[str, str]


def in_expression(expression: str) -> Iterator[Watched]:
    """The metrics of a SEARCH or a Metrics Insights query; other expressions name none."""
    for schema, name, where in SEARCH.findall(expression):
        namespace, *dimensions = schema.split(",")
        yield Watched(namespace, name, frozenset(dimensions), dict(WHERE.findall(where)))
    for name, schema, where in SELECT.findall(expression):
        namespace, *dimensions = [part.strip().strip('"') for part in schema.split(",")]
        values = {key.strip().strip('"'): value for key, value in WHERE.findall(where.replace(" AND ", "\n"))}
        yield Watched(namespace, name, frozenset(dimensions), values)


def by_alarm(alarm: Mapping[str, Any]) -> Iterator[Watched]:
    """The metrics of an AWS::CloudWatch::Alarm."""
    for each in alarm.get("Metrics") or [{"MetricStat": {"Metric": alarm}}]:
        if "MetricStat" in each:
            metric = each["MetricStat"]["Metric"]
            values = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
            yield Watched(metric["Namespace"], metric["MetricName"], frozenset(values), values)
        else:
            yield from in_expression(each["Expression"])


def expression(alarm: Mapping[str, Any]) -> str:
    """The expression that decides an alarm."""
    (decides,) = [each for each in alarm["Metrics"] if each["ReturnData"]]
    return str(decides["Expression"])


def body(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    """A dashboard's body; whatever CloudFormation fills in later reads `...`."""
    parts = dashboard["DashboardBody"]["Fn::Join"][1]
    return dict(json.loads("".join(part if isinstance(part, str) else "..." for part in parts)))


def by_widget(widget: Mapping[str, Any]) -> Iterator[Watched]:
    """The metrics of a widget."""
    for series in widget["properties"].get("metrics", ()):
        if isinstance(series[0], dict):
            yield from in_expression(series[0]["expression"])
        else:
            namespace, name, *pairs = [part for part in series if isinstance(part, str)]
            values = dict(zip(pairs[::2], pairs[1::2], strict=True))
            yield Watched(namespace, name, frozenset(values), values)


def alarms(templates: Templates, stage: str) -> dict[str, dict[str, Any]]:
    """The properties of a stage's alarms, by the name without the stage and the pipeline."""
    found = templates.resources(stage, "monitoring", "AWS::CloudWatch::Alarm").values()
    return {
        each["Properties"]["AlarmName"].removeprefix(f"tandem-{stage}-").removeprefix("logins-"): each["Properties"]
        for each in found
    }


def dashboard(templates: Templates, stage: str) -> dict[str, Any]:
    return body(templates.one(stage, "monitoring", "AWS::CloudWatch::Dashboard"))


def exists(watched: Watched, stage: str) -> bool:
    """Whether our code, or AWS by its documentation, emits the metric."""
    if watched.namespace != NAMESPACE:
        return DOCUMENTED.get((watched.namespace, watched.name)) == watched.dimensions
    metric = OWN.get(watched.name)
    if metric is None or frozenset(metric.dimensions) != watched.dimensions:
        return False
    runtime = watched.values.get("runtime", metric.runtimes[0])
    return watched.values["stage"] == stage and watched.values["pipeline"] == "logins" and runtime in metric.runtimes
