"""The settings: frozen, validated at start, and the only reader of the environment.

A wrong one stops the process with one line that names the variable, what it got and what it takes.
"""

import os
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from functions.core.errors import InvalidSetting

SecretSource = Annotated[str, StringConstraints(pattern=r"^(file:/.+|arn:aws[a-z-]*:secretsmanager:.+)$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$")]
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class Settings(BaseModel):
    """What a process needs to know. Each field is read from the variable TANDEM_<FIELD>, the region from AWS_REGION."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Name
    pipeline: Name
    lake_bucket: Bucket
    dead_letter_bucket: Bucket
    mask_key_from: SecretSource = Field(description="where the key of masked fields lies: file:/PATH or a secret's ARN")
    bootstrap_servers: str = Field(min_length=1, description="host:port,host:port of the Kafka brokers")
    kafka_auth: Literal["iam", "scram", "plaintext"] = "iam"
    scram_from: SecretSource | None = Field(None, description='where {"username": ..., "password": ...} lies')
    region: str = Field("us-east-1", min_length=1)
    flood_ratio: float | None = Field(
        None, gt=0, le=1, description="overrides the pipeline's flood limit; 1 never refuses"
    )
    slice_seconds: float | None = Field(None, gt=0, description="overrides how long the worker gathers a slice")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    rack: str | None = Field(None, description="the zone ID, for reading from the nearest replica")
    http_host: str = Field("0.0.0.0", description="where the worker answers: the kubelet's probes come from the node")  # noqa: S104
    http_port: int = Field(8080, ge=0, le=65535, description="the worker's health and metrics; 0 takes a free one")
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
        raise InvalidSetting(
            "TANDEM_SCRAM_FROM: is missing, takes file:/PATH or a secret's ARN when TANDEM_KAFKA_AUTH is scram"
        )
    return settings


def _variable(name: str) -> str:
    return "AWS_REGION" if name == "region" else f"TANDEM_{name.upper()}"


def _told(problem: Mapping[str, object]) -> str:
    location = problem["loc"]
    variable = _variable(str(location[0])) if isinstance(location, tuple) and location else "settings"
    if problem["type"] == "missing":
        return f"{variable}: is missing"
    return f"{variable}: got {problem['input']!r}: {problem['msg']}"
