"""The configuration of a stage: frozen, validated before anything is built. It is read from cdk.json's context.

Whatever is left out has the default given here. A wrong value stops the synthesis with one line: its name, what it got
and what it takes (cdk/context.py reads it so). A field's description says what it takes.
"""

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from cdk.choices import (
    ExistingEks,
    ExistingKafka,
    ExistingNetwork,
    ExpressKafka,
    NewEks,
    NewNetwork,
    NoEks,
    ServerlessKafka,
    StandardKafka,
)
from cdk.values import Frozen, LogDays, Provider

ZONES: Final = 3


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
