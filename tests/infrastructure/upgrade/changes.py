"""Single changes of a stage and of a pipeline, each with what becomes of its deployment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from functions.core.pipeline import AnyPipeline, Start
from functions.core.sinks import Counters, Lake, Table, Topic
from functions.core.topic_config import TopicConfig
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import ALTERNATIVES, CONTEXT

Stage = dict[str, Any]
Pipelines = dict[str, AnyPipeline]

DEV: Final[Stage] = CONTEXT["stages"]["dev"]
PROD: Final[Stage] = CONTEXT["stages"]["prod"]
LOGINS: Final[Pipelines] = {"logins": PIPELINE}
VIEWS: Final = replace(
    PIPELINE, name="views", topic="page-view", sinks=(Lake(), Table("last-view", "user_id", newest_by="logged_in_at"))
)
SCRAM: Final[Stage] = DEV | {"kafka_auth": "scram"}
BOTH: Final[Pipelines] = LOGINS | {"views": VIEWS}


@dataclass(frozen=True)
class Change:
    """From one declaration to another. `refused` is None if the deployment works, else the reason and a place."""

    name: str
    stage: Stage
    pipelines: Pipelines
    before: Stage
    before_pipelines: Pipelines
    refused: tuple[str, str] | None = None


def stage(name: str, after: Stage, *, before: Stage | None = None, base: Stage = DEV) -> Change:
    """A change of values of a stage."""
    return Change(name, {**base, **after}, LOGINS, {**base, **(before or {})}, LOGINS)


def refused(change: Change, reason: str, place: str) -> Change:
    """The change, of which a deployment is refused."""
    return replace(change, refused=(reason, place))


def run(name: str, after: Stage, before: Stage | None = None) -> Change:
    """A change of a pipeline's settings in `dev`."""
    runs = [{"pipelines": {"logins": {"runtime": "msk", **values}}} for values in (after, before or {})]
    return stage(name, runs[0], before=runs[1])


def declared(name: str, after: Pipelines, before: Pipelines = LOGINS, base: Stage = DEV) -> Change:
    """A change of declarations."""
    return Change(name, base, after, base, before)


def logins(**changes: Any) -> Pipelines:
    """The reference pipeline with another declaration."""
    return {"logins": replace(PIPELINE, **changes)}


def without(*kinds: type) -> Pipelines:
    """The reference pipeline without its sinks of these types."""
    return logins(sinks=tuple(sink for sink in PIPELINE.sinks if not isinstance(sink, kinds)))


def kafka(**changes: Any) -> Stage:
    """Another Kafka cluster of `dev`."""
    return {"kafka": DEV["kafka"] | changes}


SECOND_MAPPING: Final = ("exists already", "tandem-dev-lambda Mapping")  # one mapping per consumer group
REPLACED_MAPPING: Final = ("named resource replaced", "tandem-dev-lambda Mapping")  # its cluster is another one
NAT: Final[Mapping[str, Stage]] = {nat: {"network": {"kind": "new", "nat": nat}} for nat in ("none", "one", "per-zone")}
(TABLE,) = PIPELINE.tables
(OUTPUT,) = PIPELINE.topics

OF_A_STAGE: Final = (
    stage("no workers any more", {"eks": {"kind": "none"}}),
    stage("workers", {}, before={"eks": {"kind": "none"}}),
    stage("an EKS cluster of somebody else", {"eks": ALTERNATIVES["given"]["eks"]}),
    stage("another version of Kubernetes", {"eks": {"kind": "new", "version": "1.36"}}),
    stage("a public Kubernetes API", {"eks": {"kind": "new", "public_access_cidrs": ["198.51.100.0/24"]}}),
    stage("SCRAM", {"kafka_auth": "scram"}),
    stage("IAM", {"kafka_auth": "iam"}, before={"kafka_auth": "scram"}, base=PROD),
    stage("ACLs are required", kafka(requires_acls=True), base=SCRAM),
    stage("ACLs are no longer required", {}, before=kafka(requires_acls=True), base=SCRAM),
    refused(stage("a serverless cluster", {"kafka": {"kind": "serverless"}}), *REPLACED_MAPPING),
    refused(stage("Express brokers", {"kafka": {"kind": "express"}}), *REPLACED_MAPPING),
    stage("larger brokers", kafka(instance="kafka.m7g.large")),
    stage("more brokers", kafka(brokers_per_zone=2)),
    stage("another version of Kafka", kafka(version="3.9.1")),
    stage("more storage", kafka(storage_gib=60)),
    refused(stage("less storage", kafka(storage_gib=40)), "cannot shrink", "tandem-dev-kafka Cluster"),
    stage("NAT", NAT["one"], before=NAT["none"]),
    stage("no NAT", NAT["none"], before=NAT["one"]),
    stage("NAT in each zone", NAT["per-zone"]),
    refused(
        stage("another range of addresses", {"network": {"kind": "new", "nat": "one", "cidr": "10.9.0.0/16"}}),
        "export in use",
        "tandem-dev-network",
    ),
    refused(
        stage("other zones", {"zones": ["us-east-1a", "us-east-1b", "us-east-1d"]}),
        "named resource replaced",  # the range of its subnet is still in use
        "tandem-dev-network .*Subnet3",
    ),
    refused(
        stage("a network of somebody else", {"network": ALTERNATIVES["given"]["network"]}),
        "export in use",
        "tandem-dev-network",
    ),
    refused(
        stage("a key of somebody else", {"key": ALTERNATIVES["given"]["key"]}), "export in use", "tandem-dev-keys"
    ),
    stage("a permissions boundary", {"permissions_boundary": ALTERNATIVES["given"]["permissions_boundary"]}),
    stage("a topic for alarms", {"alarm_topic": ALTERNATIVES["given"]["alarm_topic"]}),
    stage("dead letters that expire", {"dead_letters": {"expire_after_days": 60}}),
    stage("Redshift", {"redshift": {"base_rpu": 8}}),
    stage("no Redshift", {"redshift": None}, base=PROD),
    stage("a larger Redshift", {"redshift": {"base_rpu": 16}}, base=PROD),
    stage("no workflows", {"github": None}),
    stage("workflows", {}, before={"github": None}),
    stage("protection", {"protected": True}),
    stage("no protection", {"protected": False}, base=PROD),
    stage("longer logs", {"log_days": 60}),
    stage("an address for alarms", {"alarm_email": "on-call@example.com"}),
    stage("a lake that expires", {"lake": {"expire_after_days": 400}}),
)  # fmt: skip
OF_A_PIPELINE: Final = (
    run("the worker", {"runtime": "worker"}),
    run("more memory", {"memory_mib": 3538}),
    run("reserved concurrency", {"concurrency": 10}),
    run("larger batches", {"batch_records": 9000, "window_seconds": 5}),
    run("provisioned pollers", {"pollers": {"min": 1, "max": 2}, "retries": 5}),
    run("no provisioned pollers", {}, before={"pollers": {"min": 1, "max": 2}}),
    declared("a second pipeline", BOTH),
    declared("a pipeline with a table goes", LOGINS, BOTH),
    declared("a pipeline with a table goes from prod", LOGINS, BOTH, PROD),
    declared("a second pipeline with SCRAM", BOTH, base=SCRAM),
    declared("a pipeline with SCRAM goes", LOGINS, BOTH, SCRAM),
    declared("another table", logins(sinks=(*PIPELINE.sinks, Table("devices", "device_id", newest_by="logged_in_at")))),
    declared("a renamed table", logins(sinks=(*without(Table)["logins"].sinks, replace(TABLE, name="newest-login")))),
    declared("no table any more", without(Table)),
    refused(
        declared("a table's key", logins(sinks=(*without(Table)["logins"].sinks, replace(TABLE, key="device_id")))),
        "named resource replaced",
        "tandem-dev-stores Tablelastlogin",
    ),
    declared("no counters any more", without(Counters)),
    declared("no lake any more", without(Lake, Counters, Table)),
    refused(declared("another topic", logins(topic="sign-in")), *SECOND_MAPPING),
    refused(declared("another start", logins(start=Start.LATEST)), *SECOND_MAPPING),
    declared("more partitions", logins(topic_config=TopicConfig(partitions=24))),
    refused(
        declared("fewer partitions", logins(topic_config=TopicConfig(partitions=6))),
        "cannot shrink",
        "tandem-dev-kafka Topicuserlogin",
    ),
    declared("longer retention", logins(topic_config=TopicConfig(retention_hours=24 * 30))),
    declared("another output", logins(sinks=(*without(Topic)["logins"].sinks, replace(OUTPUT, name="signed-in")))),
)  # fmt: skip
CHANGES: Final = OF_A_STAGE + OF_A_PIPELINE
