"""The configuration of a stage: frozen, validated before anything is built. It is read from cdk.json's context.

Whatever is left out has the default given here. A wrong value stops the synthesis with one line: its name, what it got
and what it takes (cdk/context.py reads it so). A field's description says what it takes.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

ZONES: Final = 3
ISSUER: Final = "token.actions.githubusercontent.com"
OLDEST, KRAFT_ONLY = (3, 6), (4, 0)  # versions of Kafka
LARGEST, SMALLEST = 16, 22  # prefix lengths: a VPC's limit, and room for nodes and pods in three subnets


def _range(cidr: str) -> str:
    """In the form that CloudFormation gives back, and big enough."""
    network = IPv4Network(cidr)
    if not (network.is_private and LARGEST <= network.prefixlen <= SMALLEST):
        raise ValueError("not a private range of that size")
    return str(network)


def _pattern(regex: str) -> StringConstraints:
    return StringConstraints(pattern=regex)


Range = Annotated[str, AfterValidator(_range)]
Role = Annotated[str, _pattern(r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")]
Provider = Annotated[str, _pattern(rf"^arn:aws[a-z-]*:iam::\d{{12}}:oidc-provider/{re.escape(ISSUER)}$")]
ClusterArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:kafka:[a-z0-9-]+:\d{12}:cluster/[A-Za-z0-9-]+/[A-Za-z0-9-]+$")]
SecretArn = Annotated[
    str, _pattern(r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:AmazonMSK_\S+-[A-Za-z0-9]{6}$")
]
KeyArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+$")]
Vpc = Annotated[str, _pattern(r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$")]
Group = Annotated[str, _pattern(r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$")]
Subnet = Annotated[str, _pattern(r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")]
LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # what CloudWatch Logs takes


class Frozen(BaseModel):
    """What all parts of the configuration are: unchangeable, and without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class Pollers(Frozen):
    """Provisioned mode of an event source mapping."""

    least: int = Field(1, ge=1, le=200)
    """Pollers at rest."""
    most: int = Field(4, ge=1, le=2000)
    """Pollers under load; no more than partitions are of use."""
    group: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{1,128}$", description="a name of 1 to 128 letters, digits, _ and -"
    )
    """Mappings of one VPC that name the same group share its pollers."""


class Run(Frozen):
    """How one pipeline runs in this stage."""

    runtime: Literal["msk", "worker"] = "msk"
    """Which runtime is enabled; the other one rests."""
    memory_mib: int = Field(1769, ge=256, le=10240)
    """Of the function; 1769 MiB come with one whole vCPU."""
    timeout_seconds: int = Field(120, ge=10, le=840)
    """Of one invocation."""
    concurrency: int | None = Field(None, ge=1, le=1000)
    """Reserved for the function; the account's quota must leave 100 for all others."""
    batch_records: int = Field(5000, ge=1, le=10_000)
    """At most, in one invocation."""
    window_seconds: int = Field(1, ge=0, le=300)
    """How long a batch gathers."""
    pollers: Pollers | None = None
    """Provisioned mode; None is on-demand. The next two need it."""
    retries: int | None = Field(None, ge=0, le=10_000)
    """After which a batch is given up, and lies in the dead-letter bucket. None: 10, Lambda's own then."""
    record_age_seconds: int | None = Field(None, ge=60, le=604_800)
    """Beyond which a record is given up."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least that is logged."""

    @model_validator(mode="after")
    def _provisioned(self) -> Self:
        """Lambda documentation, "Kafka event source mapping": these belong to provisioned mode; CDK does not say so."""
        for name in ("retries", "record_age_seconds"):
            if getattr(self, name) is not None and self.pollers is None:
                raise ValueError(f"{name}: got {getattr(self, name)}, takes provisioned mode: give pollers, too")
        if self.pollers and self.pollers.most < self.pollers.least:
            raise ValueError(f"pollers.most: got {self.pollers.most}, takes least or more, {self.pollers.least}")
        return self


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


class Redshift(Frozen):
    """Redshift Serverless, loading the lake by itself."""

    base_rpu: int = Field(8, ge=4, le=1024)
    """Redshift processing units at rest."""
    most_rpu_hours_a_day: int = Field(24, ge=1)
    """Beyond which it is switched off for the day."""


class Lake(Frozen):
    """What becomes of lake objects as they age."""

    infrequent_after_days: int = Field(90, ge=30)
    """When they move to infrequent access."""
    expire_after_days: int | None = Field(None, ge=31)
    """When they are deleted; None keeps them."""


class Github(Frozen):
    """Which repository's workflows may deploy this stage."""

    repository: str = Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", description="owner/name")
    environment: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", description="the name of the repository's environment")
    provider_arn: Provider | None = Field(
        None, description="arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    )
    """Of the account's OIDC provider, if it has one already: there is room for one."""


class StageConfig(Frozen):
    """One stage."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,6}[a-z0-9]$", description="2 to 8 lower-case letters, digits and hyphens"
    )
    account: str | None = Field(None, pattern=r"^\d{12}$", description="an account's 12 digits, or null")
    """None takes that of the credentials."""
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="a region like us-east-1")
    zones: tuple[str, str, str] = Field(description="the names of three zones of the region, like us-east-1a")
    """Each account has its own names: in us-east-1 none of them may have the ID use1-az3, where MSK takes no subnet."""
    network: NewNetwork | ExistingNetwork = Field(NewNetwork(), discriminator="kind")
    """Where everything lives."""
    kafka: StandardKafka | ExpressKafka | ServerlessKafka | ExistingKafka = Field(
        ServerlessKafka(), discriminator="kind"
    )
    """The cluster."""
    kafka_auth: Literal["iam", "scram"] = "iam"
    """How both runtimes tell Kafka who they are."""
    eks: NewEks | ExistingEks | NoEks = Field(NewEks(), discriminator="kind")
    """Where workers run."""
    pipelines: Mapping[str, Run] = {}
    """By name; one that is left out has the defaults."""
    lake: Lake = Lake()
    """What becomes of lake objects."""
    redshift: Redshift | None = None
    """None goes without."""
    github: Github | None = None
    """None deploys by hand only."""
    alarm_email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$", description="an e-mail address")
    protected: bool = False
    """Deletion protection, and data that outlives its stack."""
    log_days: LogDays = 30
    """How long logs are kept."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.zones)) < ZONES or any(zone[:-1] != self.region for zone in self.zones):
            raise ValueError(f"zones: got {', '.join(self.zones)}, takes three zones of {self.region}")
        if self.kafka_auth == "scram" and isinstance(self.kafka, ServerlessKafka):
            raise ValueError("kafka_auth: got 'scram', takes 'iam' where kafka is serverless")
        if self.kafka_auth == "scram" and isinstance(self.kafka, ExistingKafka):
            for name in ("scram_secret", "scram_key"):
                if getattr(self.kafka, name) is None:
                    raise ValueError(f"kafka.{name}: is missing, takes an ARN where kafka_auth is scram")
        # Endpoints that nodes need, and the way to them, are made for clusters of the CDK's own.
        if isinstance(self.eks, ExistingEks) and isinstance(self.network, NewNetwork) and self.network.nat == "none":
            raise ValueError("network.nat: got 'none', takes 'one' or 'per-zone' where eks is existing")
        return self

    def run(self, pipeline: str) -> Run:
        """How a pipeline runs; one that the stage says nothing of has the defaults."""
        return self.pipelines.get(pipeline, Run())
