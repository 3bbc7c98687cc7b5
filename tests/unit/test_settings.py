"""Settings: the environment, read once; an invalid setting is reported in one line that names it."""

import os
from typing import Any

import pytest
from pydantic import ValidationError

from functions.core.errors import InvalidSetting
from functions.settings import SECRETS, Settings, read, variable_of

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


def test_only_the_required_variables_are_required() -> None:
    settings = read(GIVEN)
    assert (settings.stage, settings.pipeline, settings.kafka_auth) == ("dev", "logins", "iam")
    assert (settings.http_port, settings.drain_seconds, settings.rack) == (8080, 20, None)


def test_every_field_has_its_variable() -> None:
    every = GIVEN | {
        "AWS_REGION": "eu-central-1", "TANDEM_KAFKA_AUTH": "scram", "TANDEM_SCRAM_FROM": "file:/run/scram",
            "TANDEM_ADMIN_SCRAM_FROM": "file:/run/admin",
        "TANDEM_FLOOD_RATIO": "0.25", "TANDEM_SLICE_SECONDS": "0.5", "TANDEM_MAX_TEXT_BYTES": "65535",
        "TANDEM_LOG_LEVEL": "DEBUG", "TANDEM_SINK_MY_STORE_FROM": "file:/run/my-store",
        "TANDEM_REGISTRY_URL": "https://registry.example/api", "TANDEM_REGISTRY_FROM": "file:/run/registry",
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
def test_a_missing_setting_is_named_with_what_was_expected(variable: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{variable}: missing, expected [a-z0-9].+$") as error:
        read({name: value for name, value in GIVEN.items() if name != variable})
    assert "None" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TANDEM_STAGE", "Dev_1", "expected 2 to 48 lower-case letters and digits, starting with a letter"),
        ("TANDEM_STAGE", "dev-a", "expected 2 to 48 lower-case letters and digits, starting with a letter"),
        ("TANDEM_PIPELINE", "-a", "expected 2 to 48 lower-case letters, digits and hyphens, starting with a letter"),
        ("TANDEM_STAGE", "", "expected 2 to 48"),
        ("TANDEM_PIPELINE", "../etc", "expected 2 to 48"),
        ("TANDEM_LAKE_BUCKET", "s3://lake", "expected the name of an S3 bucket"),
        ("TANDEM_DEAD_LETTER_BUCKET", "x", "expected the name of an S3 bucket"),
        ("TANDEM_BOOTSTRAP_SERVERS", "", "expected the Kafka brokers as host:port,host:port"),
        ("TANDEM_BOOTSTRAP_SERVERS", "b-1", "expected the Kafka brokers as host:port,host:port"),
        ("TANDEM_BOOTSTRAP_SERVERS", "b-1:9098, b-2:9098", "expected the Kafka brokers as host:port,host:port"),
        ("TANDEM_KAFKA_AUTH", "oauth", "Input should be 'iam', 'scram' or 'plaintext'"),
        ("AWS_REGION", "", "String should have at least 1 character"),
        ("TANDEM_FLOOD_RATIO", "0", "Input should be greater than 0"),
        ("TANDEM_FLOOD_RATIO", "2", "Input should be less than or equal to 1"),
        ("TANDEM_FLOOD_RATIO", "nan", "Input should be a finite number"),
        ("TANDEM_SLICE_SECONDS", "inf", "Input should be a finite number"),
        ("TANDEM_MAX_TEXT_BYTES", "0", "Input should be greater than or equal to 1"),
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
def test_an_invalid_setting_is_named_with_its_value_and_what_was_expected(
    variable: str, value: str, expected: str
) -> None:
    message = refused(**{variable: value})
    assert message.startswith(f"{variable}: got {value!r}")
    assert expected in message


def test_all_invalid_settings_are_reported_together_in_one_line() -> None:
    message = refused(TANDEM_STAGE="A\nB", TANDEM_HTTP_PORT="x", TANDEM_SETTLE_THREADS="65")
    assert [problem.partition(":")[0] for problem in message.split("; ")] == [
        "TANDEM_STAGE", "TANDEM_HTTP_PORT", "TANDEM_SETTLE_THREADS",
    ]  # fmt: skip
    assert "\n" not in message


@pytest.mark.parametrize("variable", ["TANDEM_MASK_KEY_FROM", "TANDEM_SCRAM_FROM", "TANDEM_ADMIN_SCRAM_FROM"])
@pytest.mark.parametrize("value", ["hunter2", "file:", "arn:aws:s3:::bucket", ""])
def test_a_secret_given_instead_of_its_location_is_not_shown(variable: str, value: str) -> None:
    message = refused(**{variable: value})
    assert message == f"{variable}: got a value that is not shown, expected file:/PATH or a secret's ARN"


def test_no_secret_hides_in_the_errors_chain() -> None:
    with pytest.raises(InvalidSetting) as error:
        read(GIVEN | {"TANDEM_MASK_KEY_FROM": "hunter2"})
    seen: Any = error.value
    assert seen.__suppress_context__
    assert seen.__cause__ is None


def test_scram_requires_credentials() -> None:
    message = refused(TANDEM_KAFKA_AUTH="scram")
    assert message == (
        "TANDEM_SCRAM_FROM: missing, expected file:/PATH or a secret's ARN if TANDEM_KAFKA_AUTH is scram"
    )


def test_one_environment_serves_all_pipelines_of_a_stage() -> None:
    secret = "arn:aws:secretsmanager:us-east-1:1:secret:AmazonMSK_tandem_dev_"
    assert read(GIVEN | {"TANDEM_SCRAM_FROM": secret + "{pipeline}_pipeline"}).scram_from == secret + "logins_pipeline"
    assert read(GIVEN | {"TANDEM_SCRAM_FROM": "file:/a"}).scram_from == "file:/a"


@pytest.mark.parametrize(
    "source",
    ["file:/run/key", "arn:aws:secretsmanager:us-east-1:1:secret:k", "arn:aws-cn:secretsmanager:cn-north-1:1:s"],
)
def test_a_secret_is_in_a_file_or_in_secrets_manager(source: str) -> None:
    assert read(GIVEN | {"TANDEM_MASK_KEY_FROM": source}).mask_key_from == source


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_text_that_utf_8_cannot_encode_is_refused_for_every_setting(name: str) -> None:
    variable = variable_of(name)
    undecodable = os.fsdecode(b"a\xff")  # as Python reads it from the environment
    message = refused(**{variable: undecodable})
    assert message.startswith(f"{variable}: got ")
    assert message.endswith(", expected UTF-8 text")
    assert message.isascii()
    assert ("\\udcff" in message) is (name not in SECRETS)


def test_the_secret_of_a_sink_of_your_own_is_found_by_its_name() -> None:
    settings = read(GIVEN | {"TANDEM_SINK_MY_STORE_FROM": "file:/run/my-store", "TANDEM_SINK_OTHER": "ignored"})
    assert settings.sinks_from == {"my-store": "file:/run/my-store"}
    message = refused(TANDEM_SINK_MY_STORE_FROM="postgresql://user:password@host/db")
    assert message.startswith("TANDEM_SINK_NAME_FROM: got a value that is not shown")
    assert "password" not in message


def test_credentials_in_the_registrys_url_are_refused_and_not_shown() -> None:
    message = refused(TANDEM_REGISTRY_URL="https://user:hunter2@registry.example")
    assert message == (
        "TANDEM_REGISTRY_URL: got a value that is not shown, "
        "expected the URL of a schema registry, https://HOST or http://HOST, without credentials"
    )
