"""The configuration of a stage: frozen, validated before anything is built. It is read from cdk.json's context.

Whatever is left out has the default given here. A wrong value stops the synthesis with one line: its name, what it got
and what it takes.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from cdk.errors import InvalidConfig

ZONES: Final = 3

Arn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:"), Field(description="an ARN, like arn:aws:kafka:...")
]
Zones = Annotated[tuple[str, str, str], Field(description="the names of three zones of the region, like us-east-1a")]
Subnets = Annotated[
    tuple[str, str, str], Field(description="the IDs of three private subnets, in the order of `zones`")
]


class Frozen(BaseModel):
    """What all parts of the configuration are: unchangeable, and without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewNetwork(Frozen):
    """A VPC of the stage's own."""

    kind: Literal["new"] = "new"
    cidr: str = "10.0.0.0/16"
    nat: Literal["none", "one", "per-zone"] = Field(
        "none", description="NAT gateways: `none` reaches AWS by endpoints only; pulling public images needs one"
    )


class ExistingNetwork(Frozen):
    """A VPC that somebody else keeps, its endpoints included."""

    kind: Literal["existing"]
    vpc: str = Field(pattern=r"^vpc-[0-9a-f]+$")
    subnets: Subnets


class Provisioned(Frozen):
    """What MSK's standard and Express brokers have in common."""

    version: str = "3.9.x"
    brokers_per_zone: int = Field(1, ge=1, le=10)


class StandardKafka(Provisioned):
    """MSK with standard brokers: storage of their own, which grows by itself."""

    kind: Literal["standard"]
    instance: str = Field("kafka.m7g.large", pattern=r"^kafka\.")
    storage_gib: int = Field(100, ge=1, le=16384, description="of each broker")
    most_storage_gib: int = Field(1000, ge=1, le=16384, description="up to which it grows")

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.most_storage_gib < self.storage_gib:
            raise ValueError(f"most_storage_gib takes at least storage_gib, {self.storage_gib}")
        return self


class ExpressKafka(Provisioned):
    """MSK with Express brokers: storage that nobody manages."""

    kind: Literal["express"]
    instance: str = Field("express.m7g.large", pattern=r"^express\.")


class ServerlessKafka(Frozen):
    """MSK Serverless. IAM only."""

    kind: Literal["serverless"] = "serverless"


class ExistingKafka(Frozen):
    """A cluster that somebody else keeps. Its topics are theirs, too."""

    kind: Literal["existing"]
    arn: Arn
    security_group: str = Field(pattern=r"^sg-[0-9a-f]+$", description="the brokers' security group")
    bootstrap_servers: str = Field(pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")
    scram_secret: Arn | None = Field(None, description="needed where kafka_auth is scram")


class Pollers(Frozen):
    """Provisioned mode of an event source mapping."""

    least: int = Field(1, ge=1, le=200)
    most: int = Field(4, ge=1, le=2000)
    group: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,128}$", description="shares pollers among mappings")


class Run(Frozen):
    """How one pipeline runs in this stage."""

    runtime: Literal["msk", "worker"] = Field("msk", description="which runtime is enabled; the other one rests")
    memory_mib: int = Field(1769, ge=256, le=10240, description="of the function; 1769 MiB come with one whole vCPU")
    timeout_seconds: int = Field(120, ge=10, le=840)
    concurrency: int | None = Field(None, ge=1, le=1000, description="reserved for the function")
    batch_records: int = Field(5000, ge=1, le=10_000)
    window_seconds: int = Field(1, ge=0, le=300)
    pollers: Pollers | None = Field(None, description="provisioned mode; None is on-demand")
    retries: int | None = Field(None, ge=0, le=10_000, description="needs pollers; None retries until records expire")
    record_age_seconds: int | None = Field(None, ge=60, le=604_800, description="needs pollers")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _provisioned(self) -> Self:
        """Lambda documentation, "Kafka event source mapping": these belong to provisioned mode; CDK does not say so."""
        for name in ("retries", "record_age_seconds"):
            if getattr(self, name) is not None and self.pollers is None:
                raise ValueError(f"{name} takes a mapping in provisioned mode, so give pollers too")
        if self.pollers and self.pollers.most < self.pollers.least:
            raise ValueError("pollers: most takes at least `least`")
        return self


class NewEks(Frozen):
    """An EKS cluster of the stage's own, in Auto Mode."""

    kind: Literal["new"] = "new"
    version: str = Field("1.34", pattern=r"^1\.\d\d$")
    public_access: bool = Field(default=False, description="whether its API answers outside the VPC")
    admins: tuple[Arn, ...] = Field((), description="roles that administer the cluster")


class ExistingEks(Frozen):
    """A cluster that somebody else keeps, such as the one of k8s/terraform; it needs the Pod Identity agent."""

    kind: Literal["existing"]
    name: str
    security_group: str = Field(pattern=r"^sg-[0-9a-f]+$", description="the nodes' security group")


class NoEks(Frozen):
    """No steady path in this stage."""

    kind: Literal["none"]


class Redshift(Frozen):
    """Redshift Serverless, loading the lake by itself."""

    base_rpu: int = Field(8, ge=4, le=1024, description="Redshift processing units at rest")
    most_rpu_hours_a_day: int = Field(24, ge=1, description="beyond which it is switched off for the day")


class Lake(Frozen):
    """What becomes of lake objects as they age."""

    infrequent_after_days: int = Field(90, ge=30)
    expire_after_days: int | None = Field(None, ge=31)


class Github(Frozen):
    """Which repository's workflows may deploy this stage."""

    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="owner/name")
    environment: str
    provider_arn: Arn | None = Field(None, description="of the account's OIDC provider, if it has one already")


class StageConfig(Frozen):
    """One stage."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,6}[a-z0-9]$", description="2 to 8 lower-case letters and digits")
    account: str | None = Field(None, pattern=r"^\d{12}$", description="None takes that of the credentials")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    zones: Zones
    network: NewNetwork | ExistingNetwork = Field(NewNetwork(), discriminator="kind")
    kafka: StandardKafka | ExpressKafka | ServerlessKafka | ExistingKafka = Field(
        ServerlessKafka(), discriminator="kind"
    )
    kafka_auth: Literal["iam", "scram"] = "iam"
    eks: NewEks | ExistingEks | NoEks = Field(NewEks(), discriminator="kind")
    pipelines: Mapping[str, Run] = {}
    lake: Lake = Lake()
    redshift: Redshift | None = None
    github: Github | None = None
    alarm_email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$", description="who is told of alarms")
    protected: bool = Field(default=False, description="deletion protection, and data that outlives its stack")
    log_days: int = Field(30, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.zones)) < ZONES or any(not zone.startswith(self.region) for zone in self.zones):
            raise ValueError(f"zones takes three zones of {self.region}, got {', '.join(self.zones)}")
        if self.kafka_auth == "scram" and isinstance(self.kafka, ServerlessKafka):
            raise ValueError("kafka_auth takes iam where kafka is serverless")
        if self.kafka_auth == "scram" and isinstance(self.kafka, ExistingKafka) and not self.kafka.scram_secret:
            raise ValueError(
                "kafka.scram_secret is missing, takes the ARN of the user's secret where kafka_auth is scram"
            )
        return self

    def run(self, pipeline: str) -> Run:
        """How a pipeline runs; one that the stage says nothing of has the defaults."""
        return self.pipelines.get(pipeline, Run())


def read(context: object, pipelines: Iterable[str]) -> dict[str, StageConfig]:
    """The stages of cdk.json's context `stages`, by name, or InvalidConfig."""
    if not isinstance(context, Mapping) or not context:
        raise InvalidConfig('stages: takes {"dev": {...}, ...} in the context of cdk.json')
    return {name: _stage(name, given, set(pipelines)) for name, given in context.items()}


def _stage(name: str, given: object, pipelines: set[str]) -> StageConfig:
    if not isinstance(given, Mapping):
        raise InvalidConfig(f"stages.{name}: takes the stage's values, got {given!r}")
    try:
        stage = StageConfig.model_validate({"name": name, **given})
    except ValidationError as error:
        raise InvalidConfig("; ".join(_told(name, problem) for problem in error.errors(include_url=False))) from None
    if unknown := sorted(set(stage.pipelines) - pipelines):
        raise InvalidConfig(f"stages.{name}.pipelines: got {', '.join(unknown)}, takes {', '.join(sorted(pipelines))}")
    return stage


def _told(stage: str, problem: Any) -> str:  # noqa: ANN401 - pydantic's error details
    at = ".".join(["stages", stage, *(str(part) for part in problem["loc"])])
    match problem["type"]:
        case "missing":
            return f"{at}: is missing"
        case "extra_forbidden":
            return f"{at}: there is no such value"
        case "value_error":
            return f"{at}: {problem['ctx']['error']}"
        case _:
            return f"{at}: got {problem['input']!r}: {problem['msg']}"
