"""A stage's costs: list prices times quantities from the synthesised templates and cdk.json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from cdk.choices import ExpressKafka, NoEks, ServerlessKafka, StandardKafka
from cdk.config import StageConfig
from cdk.monitoring.dashboard import POLLERS_PER_UNIT
from functions.core.pipeline import AnyPipeline
from tests.docs.prices import PRICES

HOURS: Final = 730  # per month
DAYS: Final = 30.4
COUNTED: Final = {
    "AWS::EC2::NatGateway": "NAT gateway, hour",
    "AWS::EKS::Cluster": "EKS control plane, hour",
    "AWS::KMS::Key": "KMS key, month",
    "AWS::SecretsManager::Secret": "Secrets Manager secret, month",
    "AWS::CloudWatch::Alarm": "CloudWatch alarm, month",
    "AWS::CloudWatch::Dashboard": "CloudWatch dashboard, month",
}
KEPT_VERSIONS: Final = 3  # of each function, by .github/scripts/functions.sh
SLICE: Final = 1000  # records, on average
COUNTS: Final = 5  # items of a counter sink in a slice: one minute, five device types
LOG_BYTES: Final = 1500  # per slice: two lines
SLICE_SECONDS: Final = 1.0  # of a function, per slice, on real stores

Resources = Mapping[str, list[dict[str, Any]]]  # properties by type, of all stacks of a stage


@dataclass(frozen=True, slots=True)
class Line:
    """A quantity of a priced item. `at_most` marks a ceiling."""

    price: str
    quantity: float
    at_most: bool = False

    @property
    def dollars(self) -> float:
        """US dollars a month."""
        return self.quantity * PRICES[self.price]


def idle(stage: StageConfig, resources: Resources, pipelines: Sequence[AnyPipeline]) -> list[Line]:
    """Monthly costs before the first record: everything billed by the hour or per item."""
    lines = [*_kafka(stage, pipelines), *_counted(resources), _endpoints(resources), *_nodes(stage), *_pollers(stage)]
    lines.append(_snapshots(stage, pipelines))
    if stage.redshift:
        hours = stage.redshift.max_rpu_hours_per_day * DAYS
        lines.append(Line("Redshift Serverless, RPU-hour", hours, at_most=True))
    return [line for line in lines if line.quantity]


def per_million(pipeline: AnyPipeline, memory_mib: int) -> list[Line]:
    """Costs of a million records on Lambda, if no key repeats within a slice."""
    slices = 1e6 / SLICE
    transaction = 2 * (1 + COUNTS * len(pipeline.counters))  # DynamoDB bills each item of a transaction twice
    writes = slices * (1 + transaction) + 1e6 * len(pipeline.tables)
    return [
        Line("Lambda arm64, GB-second", slices * SLICE_SECONDS * memory_mib / 1024),
        Line("Lambda, million invocations", slices / 1e6),
        Line("DynamoDB on demand, million writes of 1 KB", writes / 1e6),
        Line("S3 put, million", slices * pipeline.has_lake / 1e6),
        Line("CloudWatch Logs, GB", slices * LOG_BYTES / 1e9),
    ]


def table(lines: list[Line]) -> str:
    """A Markdown table with the total."""
    high = sum(line.dollars for line in lines)
    low = sum(line.dollars for line in lines if not line.at_most)
    total = f"{low:,.2f}" if low == high else f"{low:,.2f} to {high:,.2f}"
    head = ["| item | quantity | $ each | $ |", "|---|--:|--:|--:|"]
    return "\n".join([*head, *map(_row, lines), f"| **total** | | | **{total}** |"])


def _row(line: Line) -> str:
    dollars = f"{'up to ' if line.at_most else ''}{line.dollars:,.2f}"
    price = f"{PRICES[line.price]:.10f}".rstrip("0").rstrip(".")
    return f"| {line.price} | {line.quantity:,.6g} | {price} | {dollars} |"


def _kafka(stage: StageConfig, pipelines: Sequence[AnyPipeline]) -> list[Line]:
    match stage.kafka:
        case ServerlessKafka():
            topics = [one for each in pipelines for one in (each.topic_config, *(sink.config for sink in each.topics))]
            partitions = sum(topic.partitions for topic in topics)
            hours = Line("MSK Serverless, partition-hour", partitions * HOURS)
            return [Line("MSK Serverless, cluster-hour", HOURS), hours]
        case StandardKafka() as kafka:
            brokers = 3 * kafka.brokers_per_zone
            storage = Line("MSK storage, GB-month", brokers * kafka.storage_gib)
            return [Line(f"MSK {kafka.instance}, broker-hour", brokers * HOURS), storage]
        case ExpressKafka() as kafka:
            return [Line(f"MSK {kafka.instance}, broker-hour", 3 * kafka.brokers_per_zone * HOURS)]
        case _:
            return []


def _counted(resources: Resources) -> list[Line]:
    hours = {name: HOURS if name.endswith("hour") else 1 for name in COUNTED.values()}
    return [Line(name, len(resources.get(kind, [])) * hours[name]) for kind, name in COUNTED.items()]


def _endpoints(resources: Resources) -> Line:
    endpoints = [each for each in resources.get("AWS::EC2::VPCEndpoint", []) if each["VpcEndpointType"] == "Interface"]
    return Line("interface endpoint, hour in one zone", sum(len(each["SubnetIds"]) for each in endpoints) * HOURS)


def _nodes(stage: StageConfig) -> list[Line]:
    """One node for the cluster's own pods, or three, one per zone, if workers run."""
    workers = any(run.runtime == "worker" for run in stage.pipelines.values())
    hours = (3 if workers else 1) * HOURS
    return [] if isinstance(stage.eks, NoEks) else [Line("EKS Auto Mode node (m7g.large and 12 %), hour", hours)]


def _pollers(stage: StageConfig) -> list[Line]:
    """Poller units of enabled mappings. Disabled mappings have none."""
    enabled = [run.pollers for run in stage.pipelines.values() if run.runtime == "msk" and run.pollers]
    units = sum(ceil(pollers.min / POLLERS_PER_UNIT) for pollers in enabled)
    return [Line("Lambda event poller unit, hour", units * HOURS)]


def _snapshots(stage: StageConfig, pipelines: Sequence[AnyPipeline]) -> Line:
    """Each published version has a snapshot as large as its memory. The first release has one version."""
    memory = sum(stage.pipeline_config(pipeline.name).memory_mib for pipeline in pipelines)
    return Line("Lambda SnapStart cache, GB-hour", KEPT_VERSIONS * memory / 1024 * HOURS, at_most=True)
