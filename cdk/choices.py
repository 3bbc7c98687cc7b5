"""The alternatives of a stage: networks, Kafka clusters and EKS clusters. `kind` selects one.

Each can be created for the stage, or be an existing one that is given by its IDs and managed elsewhere.
"""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from cdk.values import (
    CidrRange,
    ClusterArn,
    ConfigModel,
    KeyArn,
    PublicRange,
    RoleArn,
    SecretArn,
    SecurityGroupId,
    SubnetId,
    VpcConnectionArn,
    VpcId,
)

FIRST_TOPIC_VERSION: Final = (3, 6)  # the first version of Kafka on which MSK creates topics
FIRST_KRAFT_ONLY_VERSION: Final = (4, 0)


class NewNetwork(ConfigModel):
    """A VPC that the stage creates."""

    kind: Literal["new"] = "new"
    cidr: CidrRange = Field("10.0.0.0/16", description="a private range from /16 to /22, like 10.0.0.0/16")
    nat: Literal["none", "one", "per-zone"] = "none"
    """NAT gateways. `none` reaches AWS through endpoints and no other address; public images need a gateway."""


class ExistingNetwork(ConfigModel):
    """A VPC that is managed elsewhere, endpoints included."""

    kind: Literal["existing"]
    vpc: VpcId = Field(description="the ID of a VPC, like vpc-0123abcd")
    subnets: tuple[SubnetId, SubnetId, SubnetId] = Field(
        description="the IDs of three private subnets, in the order of `zones`"
    )


class ProvisionedKafka(ConfigModel):
    """The values that MSK's standard and Express brokers share."""

    version: str = Field(
        "3.9.x.kraft", pattern=r"^\d+\.\d+\.(\d+|x)(\.kraft)?$", description="one of MSK's versions, like 3.9.x.kraft"
    )
    """Without .kraft the cluster uses ZooKeeper, which ends with Kafka 3. Adding it later is a migration, not an
    upgrade."""
    brokers_per_zone: int = Field(1, ge=1, le=10)
    """Brokers in each of the three zones."""
    requires_acls: bool = False
    """With kafka_auth scram, whether a user may do only what an ACL allows. Set it after `tandem acls --all --execute`:
    a cluster without ACLs then refuses everybody, until it is false again."""

    @model_validator(mode="after")
    def _supports_topics(self) -> Self:
        """MSK documentation, "Topic operations": 3.6.0 or newer. "Metadata management": ZooKeeper ends with 3.9."""
        number = tuple(int(digits) for digits in self.version.split(".")[:2])
        without_kraft = number >= FIRST_KRAFT_ONLY_VERSION and not self.version.endswith(".kraft")
        if number < FIRST_TOPIC_VERSION or without_kraft:
            raise ValueError(f"version: got {self.version!r}, expected 3.6.0 or newer, from 4.0 on with .kraft")
        return self


class StandardKafka(ProvisionedKafka):
    """MSK with standard brokers, whose storage grows automatically."""

    kind: Literal["standard"]
    instance: str = Field(
        "kafka.m7g.large", pattern=r"^kafka\.[a-z0-9]+\.[a-z0-9]+$", description="a size like kafka.m7g.large"
    )
    storage_gib: int = Field(100, ge=1, le=16384)
    """Initial storage of each broker."""
    max_storage_gib: int = Field(1000, ge=1, le=16384)
    """Size up to which the storage of each broker grows."""
    tiered_storage: bool = False
    """Whether topics with `local_retention_hours` keep older records in MSK's cheaper storage. It cannot be switched
    off again."""

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        """CloudFormation reference, AWS::MSK::Cluster: the smallest brokers do not support KRaft."""
        if self.instance == "kafka.t3.small" and self.version.endswith(".kraft"):
            raise ValueError(f"instance: got {self.instance!r}, expected a larger one if version is {self.version}")
        if self.instance == "kafka.t3.small" and self.tiered_storage:
            raise ValueError(f"instance: got {self.instance!r}, expected a larger one if tiered_storage is true")
        if self.max_storage_gib < self.storage_gib:
            raise ValueError(f"max_storage_gib: got {self.max_storage_gib}, expected storage_gib or more")
        return self


class ExpressKafka(ProvisionedKafka):
    """MSK with Express brokers, whose storage MSK manages."""

    kind: Literal["express"]
    instance: str = Field(
        "express.m7g.large", pattern=r"^express\.[a-z0-9]+\.[a-z0-9]+$", description="a size like express.m7g.large"
    )


class ServerlessKafka(ConfigModel):
    """MSK Serverless, which supports IAM authentication only."""

    kind: Literal["serverless"] = "serverless"


class ExistingKafka(ConfigModel):
    """A cluster that is managed elsewhere."""

    kind: Literal["existing"]
    arn: ClusterArn = Field(description="a cluster's ARN, like arn:aws:kafka:us-east-1:111122223333:cluster/name/uuid")
    security_group: SecurityGroupId = Field(description="the ID of the brokers' security group, like sg-0123abcd")
    bootstrap_servers: str = Field(
        pattern=r"^[^\s,]+:\d{1,5}(,[^\s,]+:\d{1,5})*$", description="brokers as host:port,host:port"
    )
    scram_secret: SecretArn | None = Field(
        None, description="the whole ARN of a secret, its six last characters included, or null"
    )
    """The secret of the SCRAM user; required if kafka_auth is scram. Its name begins with AmazonMSK_."""
    scram_key: KeyArn | None = Field(None, description="the ARN of a KMS key, or null")
    """The customer key that encrypts the secret; required if kafka_auth is scram."""
    topics: Literal["standard", "express"] | None = Field(None, description="standard, express or null")
    """The kind of the cluster's brokers, if the stage creates the pipelines' topics there. Omit if they are managed
    elsewhere, and if the cluster is serverless."""
    vpc_connection: VpcConnectionArn | None = Field(
        None, description="an ARN like arn:aws:kafka:us-east-1:111122223333:vpc-connection/444455556666/name/uuid"
    )
    """The connection by which the stage's VPC reaches a cluster of another account. `bootstrap_servers` and
    `security_group` are then the connection's, and the cluster's policy must allow the roles of this account."""

    @model_validator(mode="after")
    def _topics_are_in_reach(self) -> Self:
        if self.topics and self.vpc_connection:
            raise ValueError(f"topics: got {self.topics!r}, expected none: another account's cluster has its own")
        return self


class NewEks(ConfigModel):
    """An EKS cluster in Auto Mode that the stage creates."""

    kind: Literal["new"] = "new"
    version: str = Field("1.35", pattern=r"^1\.\d\d$", description="a version of Kubernetes, like 1.35")
    public_access_cidrs: tuple[PublicRange, ...] = Field(
        (), description="ranges of addresses like 198.51.100.0/24, not the whole internet"
    )
    """From where the API can be reached, besides the VPC."""
    admins: tuple[RoleArn, ...] = Field((), description="ARNs of roles that administer the cluster")


class ExistingEks(ConfigModel):
    """A cluster that is managed elsewhere, for example by k8s/terraform. It needs the Pod Identity agent."""

    kind: Literal["existing"]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", description="the cluster's name")
    security_group: SecurityGroupId = Field(description="the ID of the nodes' security group, like sg-0123abcd")
    access_managed_externally: bool = False
    """Whether the nodes' way to Kafka, the roles of the service accounts and the deploy role's access are managed
    together with the cluster, as k8s/terraform does. Otherwise the stage creates them."""


class NoEks(ConfigModel):
    """No EKS cluster and no workers in this stage."""

    kind: Literal["none"]
