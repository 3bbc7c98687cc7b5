"""The configuration of a stage: immutable, and validated before anything is built. It is read from cdk.json's context.

Every value has the default given here. An invalid value ends the synthesis with one line: its name, the value and what
is expected (see cdk/context.py). The description of a field states what is expected, the string below it what it means.
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
from cdk.values import AnySecretArn, ConfigModel, KeyArn, LogDays, PolicyArn, ProviderArn, TopicArn

ZONES: Final = 3


class PollerConfig(ConfigModel):
    """Provisioned mode of an event source mapping."""

    min: int = Field(1, ge=1, le=200)
    """Pollers without load."""
    max: int = Field(4, ge=1, le=2000)
    """Pollers under load. More pollers than partitions have no effect."""
    group: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]{1,128}$", description="a name of 1 to 128 letters, digits, _ and -"
    )
    """Mappings in the same VPC with the same group share pollers."""


class PipelineConfig(ConfigModel):
    """The settings of one pipeline in this stage."""

    runtime: Literal["msk", "worker"] = "msk"
    """The runtime that is enabled. The other one is deployed and idle."""
    event_source: bool = True
    """Whether the function has an event source mapping. Deploy once with `false` before you change the topic or the
    start of the pipeline, or the kind of the Kafka cluster: AWS changes none of these in a mapping, and allows no
    second mapping in the same consumer group."""
    memory_mib: int = Field(1769, ge=256, le=10240)
    """Memory of the function; 1769 MiB include one full vCPU."""
    timeout_seconds: int = Field(120, ge=10, le=840)
    """Time limit of one invocation."""
    concurrency: int | None = Field(None, ge=1, le=1000)
    """Reserved concurrency of the function. The account's quota must leave 100 for all others."""
    batch_records: int = Field(5000, ge=1, le=10_000)
    """Maximum number of records in one invocation."""
    window_seconds: int = Field(1, ge=0, le=300)
    """How long Lambda gathers records for a batch."""
    pollers: PollerConfig | None = None
    """Provisioned mode, which `retries` and `record_age_seconds` require. Omit for on-demand mode."""
    retries: int | None = Field(None, ge=0, le=10_000)
    """Number of retries after which Lambda gives up a batch and stores it in the dead-letter bucket. Omit for Lambda's
    default, which is 10 with such a bucket."""
    record_age_seconds: int | None = Field(None, ge=60, le=604_800)
    """Age beyond which Lambda gives up a record."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The lowest level that is logged."""

    @model_validator(mode="after")
    def _provisioned(self) -> Self:
        """Lambda documentation, "Kafka event source mapping": both need provisioned mode. CDK does not check it."""
        for name in ("retries", "record_age_seconds"):
            if getattr(self, name) is not None and self.pollers is None:
                raise ValueError(f"{name}: got {getattr(self, name)}, expected provisioned mode: set pollers, too")
        if self.pollers and self.pollers.max < self.pollers.min:
            raise ValueError(f"pollers.max: got {self.pollers.max}, expected min or more, {self.pollers.min}")
        return self


class RedshiftConfig(ConfigModel):
    """Redshift Serverless, which loads new lake objects automatically."""

    base_rpu: int = Field(8, ge=4, le=1024)
    """Base capacity in Redshift processing units."""
    max_rpu_hours_per_day: int = Field(24, ge=1)
    """Usage limit, after which Redshift refuses queries until the next day."""


class DeadLettersConfig(ConfigModel):
    """The life cycle of dead letters, which contain whole records, unmasked."""

    expire_after_days: int | None = Field(None, ge=15)
    """Age at which they are deleted, like the batches that mappings gave up. Their announcements live for 14 days. Omit
    to keep them forever."""


class LakeConfig(ConfigModel):
    """The life cycle of lake objects."""

    infrequent_after_days: int = Field(90, ge=30)
    """Age at which objects move to infrequent access."""
    expire_after_days: int | None = Field(None, ge=31)
    """Age at which objects are deleted. Omit to keep them forever."""


class SecretConfig(ConfigModel):
    """A secret in Secrets Manager, which is managed elsewhere."""

    arn: AnySecretArn = Field(description="the ARN of a secret, with the six characters at its end")
    """The secret."""
    key: KeyArn | None = Field(None, description="the ARN of a KMS key, or null")
    """The key that encrypts it. Omit if that is the account's own, `aws/secretsmanager`."""


class RegistryConfig(ConfigModel):
    """A schema registry with Confluent's API."""

    url: str = Field(
        pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$", description="https://HOST or http://HOST, without credentials"
    )
    """Its address, which functions and workers reach."""
    secret: SecretConfig | None = None
    """Its user: {"username": ..., "password": ...}. Omit if it needs none."""


class GithubConfig(ConfigModel):
    """The repository whose workflows may deploy this stage."""

    repository: str = Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", description="owner/name")
    environment: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", description="the name of the repository's environment")
    provider_arn: ProviderArn | None = Field(
        None, description="arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    )
    """The account's OIDC provider, if it has one: an account can have only one of an issuer."""


class StageConfig(ConfigModel):
    """One stage."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9]{1,7}$", description="2 to 8 lower-case letters and digits, starting with a letter"
    )
    account: str | None = Field(None, pattern=r"^\d{12}$", description="an account's 12 digits, or null")
    """The AWS account. Omit to use the account of the credentials."""
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="a region like us-east-1")
    zones: tuple[str, str, str] = Field(description="the names of three zones of the region, like us-east-1a")
    """Each account has its own zone names. In us-east-1 no zone may have the ID use1-az3: MSK supports no subnet
    there."""
    network: NewNetwork | ExistingNetwork = Field(NewNetwork(), discriminator="kind")
    """The VPC."""
    kafka: StandardKafka | ExpressKafka | ServerlessKafka | ExistingKafka = Field(
        ServerlessKafka(), discriminator="kind"
    )
    """The Kafka cluster."""
    kafka_auth: Literal["iam", "scram"] = "iam"
    """How both runtimes authenticate to Kafka."""
    eks: NewEks | ExistingEks | NoEks = Field(NewEks(), discriminator="kind")
    """The cluster that runs the workers."""
    pipelines: Mapping[str, PipelineConfig] = {}
    """Settings by pipeline name. Pipelines that are not listed have the defaults."""
    lake: LakeConfig = LakeConfig()
    """The life cycle of lake objects."""
    dead_letters: DeadLettersConfig = DeadLettersConfig()
    """The life cycle of dead letters."""
    registry: RegistryConfig | None = None
    """The schema registry of codecs that use Confluent's."""
    sinks: Mapping[str, SecretConfig] = {}
    """The secrets of sinks of your own, by the sink's name."""
    redshift: RedshiftConfig | None = None
    """Omit to deploy no Redshift."""
    github: GithubConfig | None = None
    """Omit to deploy without workflows."""
    alarm_email: str | None = Field(None, pattern=r"^[^@\s]+@[^@\s]+$", description="an e-mail address")
    """The address that receives alarms. AWS sends it a confirmation request first."""
    alarm_topic: TopicArn | None = Field(None, description="the ARN of an SNS topic in the stage's region, or null")
    """A topic that receives alarms, instead of the one that the stage creates. CloudWatch must be allowed to publish to
    it."""
    key: KeyArn | None = Field(None, description="the ARN of a KMS key, or null")
    """The key that encrypts the stage's data, managed elsewhere. Omit to let the stage create one. It cannot change."""
    bootstrap_qualifier: str = Field(
        "hnb659fds", pattern=r"^[a-z0-9]{1,10}$", description="1 to 10 lower-case letters and digits"
    )
    """The qualifier of `cdk bootstrap`. If each stage of an account has its own, the deploy role of one stage cannot
    deploy another one."""
    permissions_boundary: PolicyArn | None = Field(None, description="the ARN of an IAM policy, or null")
    """The permissions boundary of all the stage's roles."""
    protected: bool = False
    """Enables deletion protection, and keeps stored data when a stack is deleted."""
    log_days: LogDays = 30
    """Retention of logs."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.zones)) < ZONES or any(zone[:-1] != self.region for zone in self.zones):
            raise ValueError(f"zones: got {', '.join(self.zones)}, expected three zones of {self.region}")
        if self.kafka_auth == "scram" and isinstance(self.kafka, ServerlessKafka):
            raise ValueError("kafka_auth: got 'scram', expected 'iam' if kafka is serverless")
        if self.kafka_auth == "scram" and isinstance(self.kafka, ExistingKafka):
            for name in ("scram_secret", "scram_key"):
                if getattr(self.kafka, name) is None:
                    raise ValueError(f"kafka.{name}: is missing, expected an ARN if kafka_auth is scram")
        if self.kafka_auth == "iam" and getattr(self.kafka, "requires_acls", False):
            raise ValueError("kafka.requires_acls: got true, expected false if kafka_auth is iam, which has policies")
        if self.alarm_email and self.alarm_topic:
            raise ValueError(f"alarm_email: got {self.alarm_email!r}, expected none if alarm_topic is set")
        # Security groups of two VPCs cannot name each other, and Lambda polls from the cluster's VPC.
        if self.kafka.kind == "existing" and self.network.kind == "new":
            raise ValueError("network.kind: got 'new', expected 'existing', the cluster's VPC, if kafka is existing")
        # The stage creates the endpoints that nodes need, and access to them, only for its own EKS cluster.
        if isinstance(self.eks, ExistingEks) and isinstance(self.network, NewNetwork) and self.network.nat == "none":
            raise ValueError("network.nat: got 'none', expected 'one' or 'per-zone' if eks is existing")
        return self

    def pipeline_config(self, pipeline: str) -> PipelineConfig:
        """The settings of a pipeline; the defaults if the stage does not list it."""
        return self.pipelines.get(pipeline, PipelineConfig())
