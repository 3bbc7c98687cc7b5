"""Secrets stay where they are kept: no setting holds one, and no log tells one, at any level."""

import json
import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from functions.adapters.kafka import connection
from functions.adapters.log import TALKATIVE, logger
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
    """As Lambda does it when a function's log level is DEBUG: on the root of all loggers."""
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    for name in TALKATIVE:  # another test of this process may have set them
        logging.getLogger(name).setLevel(logging.NOTSET)
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def answered() -> bytes:
    """The secret, from a client that is answered without a network."""
    with clients() as aws:

        def answer(**_: object) -> AWSResponse:
            response: Any = AWSResponse("https://secretsmanager", 200, HTTPHeaders(), None)
            response._content = json.dumps({"ARN": ARN, "SecretString": SECRET}).encode()
            return cast("AWSResponse", response)

        client: Any = aws.secretsmanager
        client.meta.events.register("before-send.secrets-manager.GetSecretValue", answer)
        return secret(ARN, lambda: aws.secretsmanager)


def test_a_secret_is_told_at_debug_by_the_libraries_alone(debugging: pytest.LogCaptureFixture) -> None:
    """Shows that the next test can fail."""
    assert answered() == SECRET.encode()
    assert SECRET in debugging.text


def test_no_log_tells_a_secret_that_is_read_at_any_level(debugging: pytest.LogCaptureFixture) -> None:
    logger(SETTINGS.model_copy(update={"log_level": "DEBUG"}))
    assert answered() == SECRET.encode()
    assert SECRET not in debugging.text


def test_settings_hold_the_places_of_secrets_and_never_one() -> None:
    assert set(SECRETS) == {name for name in Settings.model_fields if name.endswith("_from")}
    with pytest.raises(InvalidSetting) as refused:
        read(ENVIRONMENT | {f"TANDEM_{name.upper()}": SECRET for name in SECRETS})
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "kept", [SECRET, json.dumps({"username": SECRET}), json.dumps({"username": 1, "password": SECRET}), "[]"]
)
def test_scram_credentials_of_another_form_are_refused_without_being_told(kept: str) -> None:
    scram: Any = SETTINGS.model_copy(update={"kafka_auth": "scram", "scram_from": "file:/scram"})
    with pytest.raises(InvalidSetting) as refused:
        connection(scram, lambda _: kept.encode())
    assert SECRET not in str(refused.value)
