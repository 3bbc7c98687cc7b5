"""What a pipeline's function needs to know of a Kafka cluster."""

from dataclasses import dataclass
from typing import Protocol

from aws_cdk import Fn

from cdk.kafka.scram import ScramUsers


class KafkaCluster(Protocol):
    """A cluster, as the permissions, the variables and the event source mapping of a pipeline see it."""

    @property
    def cluster_arn(self) -> str:
        """The ARN."""

    @property
    def event_source_arn(self) -> str:
        """What an event source mapping reads: the cluster, or the connection to it."""

    @property
    def bootstrap_servers(self) -> str:
        """host:port,host:port for the stage's authentication."""

    @property
    def scram(self) -> ScramUsers | None:
        """The users, if the stage does not use IAM."""

    def arn_of(self, resource_type: str, name: str) -> str:
        """The ARN of a `topic` or a `group`."""


@dataclass(frozen=True, slots=True)
class GivenCluster:
    """An MSK cluster of an app of your own, with IAM authentication. All may be tokens.

    `security_group`: the ID of the brokers' group. For the event source mapping it must admit itself on `port`.
    """

    cluster_arn: str
    bootstrap_servers: str
    security_group: str
    port: int = 9098

    @property
    def event_source_arn(self) -> str:
        """See KafkaCluster."""
        return self.cluster_arn

    @property
    def scram(self) -> ScramUsers | None:
        """None: see KafkaCluster."""
        return None

    @property
    def name(self) -> str:
        """The cluster's name, by which CloudWatch knows its metrics."""
        return Fn.select(0, Fn.split("/", self._path))

    def arn_of(self, resource_type: str, name: str) -> str:
        """See KafkaCluster."""
        prefix = Fn.select(0, Fn.split(":cluster/", self.cluster_arn))
        return f"{prefix}:{resource_type}/{self._path}/{name}"

    @property
    def _path(self) -> str:
        return Fn.select(1, Fn.split(":cluster/", self.cluster_arn))
