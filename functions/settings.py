"""The settings: frozen, validated at start, and the only reader of the environment.

An invalid setting stops the process with one line that names the variable, its value and what was expected.
"""

import os
from collections.abc import Mapping
from typing import Annotated, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from functions.core.errors import InvalidSetting

LOCATION: Final = "file:/PATH or a secret's ARN"
SecretSource = Annotated[
    str,
    StringConstraints(pattern=r"^(file:/.+|arn:aws[a-z-]*:secretsmanager:.+)$"),
    Field(description=LOCATION),
]
StageName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9]{1,47}$"),  # without hyphens, see functions.core.names
    Field(description="2 to 48 lower-case letters and digits, starting with a letter"),
]
PipelineName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$"),
    Field(description="2 to 48 lower-case letters, digits and hyphens, starting with a letter"),
]
Bucket = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"),
    Field(description="the name of an S3 bucket"),
]
Brokers = Annotated[
    str,
    StringConstraints(pattern=r"^[^\s,]+:[0-9]{1,5}(,[^\s,]+:[0-9]{1,5})*$"),
    Field(description="the Kafka brokers as host:port,host:port"),
]
SINK, FROM = "TANDEM_SINK_", "_FROM"  # of the variable that says where the secret of a sink of your own is
REGISTRY_URL: Final = "the URL of a schema registry, https://HOST or http://HOST, without credentials"
SECRETS: Final = (
    "mask_key_from",
    "scram_from",
    "admin_scram_from",
    "sinks_from",
    "registry_from",
    "registry_url",
)  # never shown: a user may put the secret itself there by mistake


class Settings(BaseModel):
    """The settings of a process. Each field is read from the variable TANDEM_<FIELD>, the region from AWS_REGION.

    If a field's type describes its valid values, the string below the field describes its purpose.
    docs/configuration.md shows both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    stage: StageName
    """The stage; part of the names of the consumer group, tables and queue."""
    pipeline: PipelineName
    """The pipeline that this process settles."""
    lake_bucket: Bucket
    """The bucket of the lake's objects."""
    dead_letter_bucket: Bucket
    """The bucket of the dead letters."""
    mask_key_from: SecretSource
    """The location of the key that masks fields."""
    bootstrap_servers: Brokers
    """The brokers that clients connect to first."""
    kafka_auth: Literal["iam", "scram", "plaintext"] = Field("iam", description="how Kafka clients authenticate")
    scram_from: SecretSource | None = None
    """The location of {"username": ..., "password": ...}; required if TANDEM_KAFKA_AUTH is scram. {pipeline} in it
    stands for TANDEM_PIPELINE."""
    admin_scram_from: SecretSource | None = None
    """The location of the user with which operators' commands connect instead; omit for the same user."""
    registry_url: str | None = Field(None, pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$", description=REGISTRY_URL)
    registry_from: SecretSource | None = None
    """The location of {"username": ..., "password": ...} of the schema registry; omit if it needs none."""
    region: str = Field("us-east-1", min_length=1, description="the AWS region")
    flood_ratio: float | None = Field(
        None, gt=0, le=1, description="overrides the pipeline's flood limit; 1 disables it"
    )
    slice_seconds: float | None = Field(
        None, gt=0, description="overrides how many seconds the worker collects records for a slice"
    )
    max_text_bytes: int | None = Field(
        None,
        ge=1,
        description="overrides the pipeline's limit of a text in UTF-8, where a warehouse that loads the lake has one",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="the lowest level that is logged"
    )
    rack: str | None = Field(None, description="the availability zone ID, to read from the nearest replica")
    http_host: str = Field("0.0.0.0", description="the address of the worker's HTTP server; probes come from the node")  # noqa: S104
    http_port: int = Field(
        8080, ge=0, le=65535, description="the port of the worker's health and metrics; 0 picks a free port"
    )
    cloudwatch_seconds: float | None = Field(
        None, ge=1, le=3600, description="seconds between the worker's puts of metrics to CloudWatch; omit for none"
    )
    settle_threads: int = Field(4, ge=1, le=64, description="how many partitions a process settles in parallel")
    bytes_in_flight: int = Field(
        64 * 2**20, ge=2**20, description="bytes of unsettled records above which the worker pauses partitions"
    )
    drain_seconds: float = Field(
        20, gt=0, le=600, description="how many seconds a rebalance or SIGTERM waits for slices in flight"
    )
    stall_seconds: float = Field(
        300, gt=0, description="seconds in flight after which a slice fails the liveness probe"
    )
    session_timeout_seconds: float = Field(
        45, ge=1, le=1800, description="seconds without a heartbeat after which the group removes a worker"
    )
    sinks_from: dict[str, SecretSource] = Field(
        default_factory=dict, description="where the secret of each sink of your own is: TANDEM_SINK_NAME_FROM"
    )
    time_margin_seconds: float = Field(
        2, ge=0, le=60, description="seconds of Lambda's timeout that are reserved to raise an error in good order"
    )

    def for_operators(self) -> "Settings":
        """Return the settings with which operators' commands connect: as a Kafka user of their own, if there is one."""
        return self.model_copy(update={"scram_from": self.admin_scram_from or self.scram_from})


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of this process. Raises InvalidSetting."""
    given = {
        name: environment[variable] for name in Settings.model_fields if (variable := variable_of(name)) in environment
    }
    sinks = {
        variable.removeprefix(SINK).removesuffix(FROM).lower().replace("_", "-"): value
        for variable, value in environment.items()
        if variable.startswith(SINK) and variable.endswith(FROM)
    }
    for name, value in [*given.items(), *(("sinks_from", value) for value in sinks.values())]:
        _refuse_undecodable(name, value)
    try:
        settings = Settings.model_validate(given | {"sinks_from": sinks})
    except ValidationError as error:
        raise InvalidSetting("; ".join(map(_describe, error.errors(include_url=False)))) from None
    if settings.kafka_auth == "scram" and settings.scram_from is None:
        raise InvalidSetting(f"TANDEM_SCRAM_FROM: missing, expected {LOCATION} if TANDEM_KAFKA_AUTH is scram")
    return _with_own_user(settings)


def _with_own_user(settings: Settings) -> Settings:
    """Fill in the pipeline where its secret's location leaves it open: one environment for all pipelines of a stage."""
    if settings.scram_from is None:
        return settings
    return settings.model_copy(update={"scram_from": settings.scram_from.replace("{pipeline}", settings.pipeline)})


def _refuse_undecodable(name: str, value: str) -> None:
    """Raise InvalidSetting for bytes that are not UTF-8: Python keeps them as text that no client can encode."""
    try:
        value.encode()
    except UnicodeEncodeError:
        shown = "a value that is not shown" if name in SECRETS else ascii(value)
        raise InvalidSetting(f"{variable_of(name)}: got {shown}, expected UTF-8 text") from None


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return {"region": "AWS_REGION", "sinks_from": f"{SINK}NAME{FROM}"}.get(name, f"TANDEM_{name.upper()}")


def _describe(problem: Mapping[str, object]) -> str:
    """Describe one problem: the variable, its value, what was expected."""
    name = str(cast("tuple[object, ...]", problem["loc"])[0])
    variable, expected = variable_of(name), Settings.model_fields[name].description
    match problem["type"]:
        case "missing":
            return f"{variable}: missing, expected {expected}"
        case _ if name in SECRETS:
            return f"{variable}: got a value that is not shown, expected {expected or LOCATION}"
        case "string_pattern_mismatch":
            return f"{variable}: got {problem['input']!r}, expected {expected}"
        case _:
            return f"{variable}: got {problem['input']!r}: {problem['msg']}"
