"""What a stage chooses among: networks, Kafka clusters, EKS clusters. `kind` says which.

In each case one is of the stage's own, and one is somebody else's, given by its IDs.
"""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from cdk.values import ClusterArn, Frozen, Group, KeyArn, Range, Role, SecretArn, Subnet, Vpc

OLDEST: Final = (3, 6)  # version of Kafka on which MSK makes topics
KRAFT_ONLY: Final = (4, 0)


class NewNetwork(Frozen):
    """A VPC of the stage's own."""

    kind: Literal["new"] = "new"
    cidr: Range = Field("10.0.0.0/16", description="a private range from /16 to /22, like 10.0.0.0/16")
    nat: Literal["none", "one", "per-zone"] = "none"
    """With `none` AWS is reached by endpoints only, and nothing else is; pulling public images needs one."""


class ExistingNetwork(Frozen):
    """A VPC that somebody else keeps, its endpoints included."""

    kind: Literal["existing"]
    vpc: Vpc = Field(description="the ID of a VPC, like vpc-0123abcd")
    subnets: tuple[Subnet, Subnet, Subnet] = Field(
        description="the IDs of three private subnets, in the order of `zones`"
    )


class Provisioned(Frozen):
    """What MSK's standard and Express brokers have in common."""

    version: str = Field(
        "3.9.x.kraft", pattern=r"^\d+\.\d+\.(\d+|x)(\.kraft)?$", description="one of MSK's versions, like 3.9.x.kraft"
    )
    """Without .kraft it needs ZooKeeper, as only Kafka 3 can; to change that is a migration and no upgrade."""
    brokers_per_zone: int = Field(1, ge=1, le=10)
    """In each of the three zones."""

    @model_validator(mode="after")
    def _makes_topics(self) -> Self:
        """MSK documentation, "Topic operations": from 3.6.0 on; and "Metadata management": ZooKeeper ends with 3.9."""
        number = tuple(int(part) for part in self.version.split(".")[:2])
        if number < OLDEST or (number >= KRAFT_ONLY and not self.version.endswith(".kraft")):
            raise ValueError(f"version: got {self.version!r}, takes 3.6.0 or newer, from 4.0 on with .kraft")
        return self


class StandardKafka(Provisioned):
    """MSK with standard brokers: storage of their own, which grows by itself."""

    kind: Literal["standard"]
    instance: str = Field(
        "kafka.m7g.large", pattern=r"^kafka\.[a-z0-9]+\.[a-z0-9]+$", description="a size like kafka.m7g.large"
    )
    storage_gib: int = Field(100, ge=1, le=16384)
    """Of each broker."""
    most_storage_gib: int = Field(1000, ge=1, le=16384)
    """Up to which it grows."""

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        """CloudFormation's reference of AWS::MSK::Cluster: the smallest brokers do without KRaft."""
        if self.instance == "kafka.t3.small" and self.version.endswith(".kraft"):
            raise ValueError(f"instance: got {self.instance!r}, takes a larger one where version is {self.version}")
        if self.most_storage_gib < self.storage_gib:
            raise ValueError(f"most_storage_gib: got {self.most_storage_gib}, takes storage_gib or more")
        return self


class ExpressKafka(Provisioned):
    """MSK with Express brokers: storage that nobody manages."""

    kind: Literal["express"]
    instance: str = Field(
        "express.m7g.large", pattern=r"^express\.[a-z0-9]+\.[a-z0-9]+$", description="a size like express.m7g.large"
    )


class ServerlessKafka(Frozen):
    """MSK Serverless. IAM only."""

    kind: Literal["serverless"] = "serverless"


class ExistingKafka(Frozen):
    """A cluster that somebody else keeps. Its topics are theirs, too."""

    kind: Literal["existing"]
    arn: ClusterArn = Field(description="a cluster's ARN, like arn:aws:kafka:us-east-1:111122223333:cluster/name/uuid")
    security_group: Group = Field(description="the ID of the brokers' security group, like sg-0123abcd")
    bootstrap_servers: str = Field(
        pattern=r"^[^\s,]+:\d{1,5}(,[^\s,]+:\d{1,5})*$", description="brokers as host:port,host:port"
    )
    scram_secret: SecretArn | None = None
    """The user's secret, with its last six characters; needed where kafka_auth is scram."""
    scram_key: KeyArn | None = None
    """The customer key that the secret is under; needed where kafka_auth is scram."""


class NewEks(Frozen):
    """An EKS cluster of the stage's own, in Auto Mode."""

    kind: Literal["new"] = "new"
    version: str = Field("1.35", pattern=r"^1\.\d\d$", description="a version of Kubernetes, like 1.35")
    public_access: bool = False
    """Whether its API answers outside the VPC."""
    admins: tuple[Role, ...] = Field((), description="ARNs of roles that administer the cluster")


class ExistingEks(Frozen):
    """A cluster that somebody else keeps, such as the one of k8s/terraform; it needs the Pod Identity agent."""

    kind: Literal["existing"]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", description="the cluster's name")
    security_group: Group = Field(description="the ID of the nodes' security group, like sg-0123abcd")
    wired: bool = Field(
        default=False,
        description="true or false: whether who keeps it also lets its nodes reach Kafka, gives the service accounts"
        " their roles and the deploy role its access, as k8s/terraform does",
    )


class NoEks(Frozen):
    """No steady path in this stage."""

    kind: Literal["none"]
