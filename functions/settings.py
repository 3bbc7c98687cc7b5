"""The settings: frozen, validated at start, and the only reader of the environment.

A wrong one stops the process with one line that names the variable, what it got and what it takes.
"""

import os
from collections.abc import Mapping
from typing import Annotated, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from functions.core.errors import InvalidSetting

PLACE: Final = "file:/PATH or a secret's ARN"
SecretSource = Annotated[
    str,
    StringConstraints(pattern=r"^(file:/.+|arn:aws[a-z-]*:secretsmanager:.+)$"),
    Field(description=PLACE),
]
Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$"),
    Field(description="2 to 48 lower-case letters, digits and hyphens, beginning with a letter"),
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
SECRETS: Final = ("mask_key_from", "scram_from")  # never told: somebody will put the secret itself there


class Settings(BaseModel):
    """What a process needs to know. Each field is read from the variable TANDEM_<FIELD>, the region from AWS_REGION."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    stage: Name
    pipeline: Name
    lake_bucket: Bucket
    dead_letter_bucket: Bucket
    mask_key_from: SecretSource  # the key of masked fields
    bootstrap_servers: Brokers
    kafka_auth: Literal["iam", "scram", "plaintext"] = "iam"
    scram_from: SecretSource | None = None  # {"username": ..., "password": ...}
    region: str = Field("us-east-1", min_length=1)
    flood_ratio: float | None = Field(
        None, gt=0, le=1, description="overrides the pipeline's flood limit; 1 never refuses"
    )
    slice_seconds: float | None = Field(None, gt=0, description="overrides how long the worker gathers a slice")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    rack: str | None = Field(None, description="the zone ID, for reading from the nearest replica")
    http_host: str = Field("0.0.0.0", description="where the worker answers: the kubelet's probes come from the node")  # noqa: S104
    http_port: int = Field(8080, ge=0, le=65535, description="the worker's health and metrics; 0 takes a free one")
    cloudwatch_seconds: float | None = Field(
        None, ge=1, le=3600, description="how often the worker puts its metrics to CloudWatch; left out, never"
    )
    settle_threads: int = Field(4, ge=1, le=64)
    bytes_in_flight: int = Field(64 * 2**20, ge=2**20, description="the worker pauses partitions above this many bytes")
    drain_seconds: float = Field(
        20, gt=0, le=600, description="how long a rebalance or SIGTERM waits for slices in flight"
    )
    stall_seconds: float = Field(300, gt=0, description="liveness fails when a slice in flight takes longer than this")
    session_timeout_seconds: float = Field(45, ge=1, le=1800)
    time_margin_seconds: float = Field(
        2, ge=0, le=60, description="what Lambda keeps of its timeout to raise in good order"
    )


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process, or InvalidSetting."""
    given = {
        name: environment[variable] for name in Settings.model_fields if (variable := _variable(name)) in environment
    }
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise InvalidSetting("; ".join(map(_told, error.errors(include_url=False)))) from None
    if settings.kafka_auth == "scram" and settings.scram_from is None:
        raise InvalidSetting(f"TANDEM_SCRAM_FROM: is missing, takes {PLACE} when TANDEM_KAFKA_AUTH is scram")
    return settings


def _variable(name: str) -> str:
    return "AWS_REGION" if name == "region" else f"TANDEM_{name.upper()}"


def _told(problem: Mapping[str, object]) -> str:
    """One problem: the variable, what it got, what it takes."""
    name = str(cast("tuple[object, ...]", problem["loc"])[0])
    variable, takes = _variable(name), Settings.model_fields[name].description
    match problem["type"]:
        case "missing":
            return f"{variable}: is missing, takes {takes}"
        case _ if name in SECRETS:
            return f"{variable}: got something that is not shown, takes {PLACE}"
        case "string_pattern_mismatch":
            return f"{variable}: got {problem['input']!r}, takes {takes}"
        case _:
            return f"{variable}: got {problem['input']!r}: {problem['msg']}"
