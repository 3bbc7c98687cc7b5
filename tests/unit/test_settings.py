"""Settings: the environment, read once; a wrong one is told in one line that names it."""

from typing import Any

import pytest
from pydantic import ValidationError

from functions.core.errors import InvalidSetting
from functions.settings import Settings, read

GIVEN = {
    "TANDEM_STAGE": "dev",
    "TANDEM_PIPELINE": "logins",
    "TANDEM_LAKE_BUCKET": "lake-bucket",
    "TANDEM_DEAD_LETTER_BUCKET": "letters",
    "TANDEM_MASK_KEY_FROM": "file:/run/mask-key",
    "TANDEM_BOOTSTRAP_SERVERS": "b-1:9098,b-2:9098",
}
REQUIRED = sorted(GIVEN)


def refused(**changes: str) -> str:
    with pytest.raises(InvalidSetting) as error:
        read(GIVEN | changes)
    return str(error.value)


def test_what_is_needed_is_enough() -> None:
    settings = read(GIVEN)
    assert (settings.stage, settings.pipeline, settings.kafka_auth) == ("dev", "logins", "iam")
    assert (settings.http_port, settings.drain_seconds, settings.rack) == (8080, 20, None)


def test_every_field_has_its_variable() -> None:
    every = GIVEN | {
        "AWS_REGION": "eu-central-1", "TANDEM_KAFKA_AUTH": "scram", "TANDEM_SCRAM_FROM": "file:/run/scram",
        "TANDEM_FLOOD_RATIO": "0.25", "TANDEM_SLICE_SECONDS": "0.5", "TANDEM_LOG_LEVEL": "DEBUG",
        "TANDEM_RACK": "use1-az2", "TANDEM_HTTP_HOST": "127.0.0.1", "TANDEM_HTTP_PORT": "0",
        "TANDEM_SETTLE_THREADS": "8", "TANDEM_CLOUDWATCH_SECONDS": "60",
        "TANDEM_BYTES_IN_FLIGHT": "1048576", "TANDEM_DRAIN_SECONDS": "30",
        "TANDEM_STALL_SECONDS": "60", "TANDEM_SESSION_TIMEOUT_SECONDS": "10", "TANDEM_TIME_MARGIN_SECONDS": "0",
    }  # fmt: skip
    settings = read(every)
    assert settings.model_fields_set == set(Settings.model_fields)
    assert settings.region == "eu-central-1"
    assert (settings.flood_ratio, settings.slice_seconds, settings.http_port) == (0.25, 0.5, 0)


def test_other_variables_do_not_matter() -> None:
    assert read(GIVEN | {"PATH": "/bin", "STAGE": "prod"}).stage == "dev"


def test_they_are_frozen() -> None:
    settings: Any = read(GIVEN)
    with pytest.raises(ValidationError, match="frozen"):
        settings.stage = "prod"


@pytest.mark.parametrize("variable", REQUIRED)
def test_a_missing_one_is_named_with_what_it_takes(variable: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{variable}: is missing, takes [a-z0-9].+$") as error:
        read({name: value for name, value in GIVEN.items() if name != variable})
    assert "None" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "takes"),
    [
        ("TANDEM_STAGE", "Dev_1", "takes 2 to 48 lower-case letters, digits and hyphens, beginning with a letter"),
        ("TANDEM_STAGE", "", "takes 2 to 48"),
        ("TANDEM_PIPELINE", "../etc", "takes 2 to 48"),
        ("TANDEM_LAKE_BUCKET", "s3://lake", "takes the name of an S3 bucket"),
        ("TANDEM_DEAD_LETTER_BUCKET", "x", "takes the name of an S3 bucket"),
        ("TANDEM_BOOTSTRAP_SERVERS", "", "takes the Kafka brokers as host:port,host:port"),
        ("TANDEM_BOOTSTRAP_SERVERS", "b-1", "takes the Kafka brokers as host:port,host:port"),
        ("TANDEM_BOOTSTRAP_SERVERS", "b-1:9098, b-2:9098", "takes the Kafka brokers as host:port,host:port"),
        ("TANDEM_KAFKA_AUTH", "oauth", "Input should be 'iam', 'scram' or 'plaintext'"),
        ("AWS_REGION", "", "String should have at least 1 character"),
        ("TANDEM_FLOOD_RATIO", "0", "Input should be greater than 0"),
        ("TANDEM_FLOOD_RATIO", "2", "Input should be less than or equal to 1"),
        ("TANDEM_FLOOD_RATIO", "nan", "Input should be a finite number"),
        ("TANDEM_SLICE_SECONDS", "inf", "Input should be a finite number"),
        ("TANDEM_LOG_LEVEL", "TRACE", "Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("TANDEM_HTTP_PORT", "http", "Input should be a valid integer"),
        ("TANDEM_HTTP_PORT", "65536", "Input should be less than or equal to 65535"),
        ("TANDEM_SETTLE_THREADS", "0", "Input should be greater than or equal to 1"),
        ("TANDEM_BYTES_IN_FLIGHT", "1", "Input should be greater than or equal to 1048576"),
        ("TANDEM_DRAIN_SECONDS", "-1", "Input should be greater than 0"),
        ("TANDEM_STALL_SECONDS", "soon", "Input should be a valid number"),
        ("TANDEM_SESSION_TIMEOUT_SECONDS", "0.5", "Input should be greater than or equal to 1"),
        ("TANDEM_CLOUDWATCH_SECONDS", "0", "Input should be greater than or equal to 1"),
        ("TANDEM_TIME_MARGIN_SECONDS", "61", "Input should be less than or equal to 60"),
    ],
)
def test_a_wrong_one_is_named_with_what_it_got_and_takes(variable: str, value: str, takes: str) -> None:
    told = refused(**{variable: value})
    assert told.startswith(f"{variable}: got {value!r}")
    assert takes in told


def test_all_wrong_ones_are_told_at_once_in_one_line() -> None:
    told = refused(TANDEM_STAGE="A\nB", TANDEM_HTTP_PORT="x", TANDEM_SETTLE_THREADS="65")
    assert [part.partition(":")[0] for part in told.split("; ")] == [
        "TANDEM_STAGE", "TANDEM_HTTP_PORT", "TANDEM_SETTLE_THREADS",
    ]  # fmt: skip
    assert "\n" not in told


@pytest.mark.parametrize("variable", ["TANDEM_MASK_KEY_FROM", "TANDEM_SCRAM_FROM"])
@pytest.mark.parametrize("value", ["hunter2", "file:", "arn:aws:s3:::bucket", ""])
def test_a_secret_put_where_its_place_belongs_is_not_shown(variable: str, value: str) -> None:
    told = refused(**{variable: value})
    assert told == f"{variable}: got something that is not shown, takes file:/PATH or a secret's ARN"


def test_no_secret_hides_in_the_errors_chain() -> None:
    with pytest.raises(InvalidSetting) as error:
        read(GIVEN | {"TANDEM_MASK_KEY_FROM": "hunter2"})
    seen: Any = error.value
    assert seen.__suppress_context__
    assert seen.__cause__ is None


def test_scram_takes_credentials() -> None:
    told = refused(TANDEM_KAFKA_AUTH="scram")
    assert told == ("TANDEM_SCRAM_FROM: is missing, takes file:/PATH or a secret's ARN when TANDEM_KAFKA_AUTH is scram")


@pytest.mark.parametrize(
    "source",
    ["file:/run/key", "arn:aws:secretsmanager:us-east-1:1:secret:k", "arn:aws-cn:secretsmanager:cn-north-1:1:s"],
)
def test_a_secret_lies_in_a_file_or_in_secrets_manager(source: str) -> None:
    assert read(GIVEN | {"TANDEM_MASK_KEY_FROM": source}).mask_key_from == source
