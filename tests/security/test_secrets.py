"""No setting contains a secret, and no log prints one, at any level."""

import json
import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from functions.adapters.kafka import connection
from functions.adapters.log import NOISY_LOGGERS, logger
from functions.adapters.secrets import secret
from functions.core.errors import InvalidSetting
from functions.settings import SECRETS, Settings, read
from tests.unit.adapters.clients import clients
from tests.unit.runtimes.world import SETTINGS

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tandem/dev/mask-key-a1b2c3"
SECRET = "correct-horse-battery-staple"
ENVIRONMENT = {f"TANDEM_{name.upper()}": str(value) for name, value in SETTINGS if value is not None}


@pytest.fixture
def debugging(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Sets the root logger to DEBUG, like Lambda with a function's log level DEBUG."""
    levels = {name: logging.getLogger(name).level for name in NOISY_LOGGERS}
    for name in NOISY_LOGGERS:  # another test in this process may have set them
        logging.getLogger(name).setLevel(logging.NOTSET)
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def secret_from_client() -> bytes:
    """The secret, from a client with a local response."""
    with clients() as aws:

        def answer(**_: object) -> AWSResponse:
            response: Any = AWSResponse("https://secretsmanager", 200, HTTPHeaders(), None)
            response._content = json.dumps({"ARN": ARN, "SecretString": SECRET}).encode()
            return cast("AWSResponse", response)

        client: Any = aws.secretsmanager
        client.meta.events.register("before-send.secrets-manager.GetSecretValue", answer)
        return secret(ARN, lambda: aws.secretsmanager)


def test_libraries_alone_log_a_secret_at_debug(debugging: pytest.LogCaptureFixture) -> None:
    """Proves that the next test can fail."""
    assert secret_from_client() == SECRET.encode()
    assert SECRET in debugging.text


def test_no_log_contains_a_secret_at_any_level(debugging: pytest.LogCaptureFixture) -> None:
    logger(SETTINGS.model_copy(update={"log_level": "DEBUG"}))
    assert secret_from_client() == SECRET.encode()
    assert SECRET not in debugging.text


def test_settings_contain_locations_of_secrets_only() -> None:
    locations = {name for name in Settings.model_fields if name.endswith("_from")}
    assert set(SECRETS) == {*locations, "registry_url"}  # a URL may hold a password, too
    with pytest.raises(InvalidSetting) as refused:
        read(ENVIRONMENT | {f"TANDEM_{name.upper()}": SECRET for name in SECRETS})
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "stored", [SECRET, json.dumps({"username": SECRET}), json.dumps({"username": 1, "password": SECRET}), "[]"]
)
def test_malformed_scram_credentials_are_refused_without_quoting_them(stored: str) -> None:
    scram: Any = SETTINGS.model_copy(update={"kafka_auth": "scram", "scram_from": "file:/scram"})
    with pytest.raises(InvalidSetting) as refused:
        connection(scram, lambda _: stored.encode())
    assert SECRET not in str(refused.value)
