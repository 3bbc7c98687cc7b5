"""The Kafka ACLs of a stage whose clients authenticate with SCRAM: who may do what, and no more.

One answer for `tandem acls` and for the tests on a real broker. With IAM, policies take their place: see
cdk/runtimes/grants.py.

Law: no ACL names all topics or all groups. An ACL closes what it names to everybody without one, so that one for
everything would lock the other users of a cluster out.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, NamedTuple

from functions.core import names
from functions.core.pipeline import AnyPipeline

CLUSTER: Final = "kafka-cluster"  # Kafka's name of the only resource of its kind


class ResourceKind(Enum):
    """What an ACL is about."""

    CLUSTER = "cluster"
    TOPIC = "topic"
    GROUP = "group"


class Operation(Enum):
    """What an ACL allows. Kafka's READ, WRITE and ALTER include DESCRIBE."""

    ALL = "all"
    READ = "read"
    WRITE = "write"
    CREATE = "create"
    DELETE = "delete"
    ALTER = "alter"
    DESCRIBE = "describe"
    CLUSTER_ACTION = "cluster-action"
    DESCRIBE_CONFIGS = "describe-configs"
    ALTER_CONFIGS = "alter-configs"
    IDEMPOTENT_WRITE = "idempotent-write"


class Acl(NamedTuple):
    """`user` may do `operation` to one resource, from any host."""

    user: str
    operation: Operation
    kind: ResourceKind
    name: str

    def describe(self) -> str:
        """Return `tandem_dev_keda: describe topic user-login`."""
        name = "" if self.kind is ResourceKind.CLUSTER else f" {self.name}"
        return f"{self.user}: {self.operation.value} {self.kind.value}{name}"


def required(stage: str, pipelines: Iterable[AnyPipeline]) -> frozenset[Acl]:
    """Return the ACLs of these pipelines of a stage, for all users of the stage."""
    return frozenset(
        acl for pipeline in pipelines for of in (admin, pipeline_user, scaler) for acl in of(stage, pipeline)
    )


def pipeline_user(stage: str, pipeline: AnyPipeline) -> Iterator[Acl]:
    """Both runtimes: read the source topic and commit to the group, write the output topics.

    Since Kafka 3.0 an idempotent producer needs no permission but to write its topic (KIP-679). No producer here is
    transactional. Lambda's mapping reads the brokers' configuration, too: Lambda documentation, "Troubleshooting Kafka
    event source mapping errors".
    """
    user = names.kafka_user(stage, pipeline.name)
    yield Acl(user, Operation.DESCRIBE_CONFIGS, ResourceKind.CLUSTER, CLUSTER)
    yield Acl(user, Operation.READ, ResourceKind.TOPIC, pipeline.topic)
    yield Acl(user, Operation.READ, ResourceKind.GROUP, names.consumer_group(stage, pipeline.name))
    for sink in pipeline.topics:
        yield Acl(user, Operation.WRITE, ResourceKind.TOPIC, sink.name)


def scaler(stage: str, pipeline: AnyPipeline) -> Iterator[Acl]:
    """KEDA's operator: where the log ends, and what the group has committed. It can read no record."""
    user, group = names.scaler_user(stage), names.consumer_group(stage, pipeline.name)
    yield Acl(user, Operation.DESCRIBE, ResourceKind.TOPIC, pipeline.topic)
    yield Acl(user, Operation.DESCRIBE, ResourceKind.GROUP, group)


def admin(stage: str, pipeline: AnyPipeline) -> Iterator[Acl]:
    """Operators: the topics and groups of the stage, and its ACLs."""
    user = names.admin_user(stage)
    yield Acl(user, Operation.ALTER, ResourceKind.CLUSTER, CLUSTER)
    yield Acl(user, Operation.ALL, ResourceKind.GROUP, names.consumer_group(stage, pipeline.name))
    for topic in (pipeline.topic, *(sink.name for sink in pipeline.topics)):
        yield Acl(user, Operation.ALL, ResourceKind.TOPIC, topic)


def producer(user: str, pipeline: AnyPipeline) -> Acl:
    """Return the ACL of a user who writes the source topic, which is not one of the stage's own users."""
    return Acl(user, Operation.WRITE, ResourceKind.TOPIC, pipeline.topic)
