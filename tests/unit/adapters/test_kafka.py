"""How clients authenticate, without showing credentials."""

from typing import Any

import pytest
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from confluent_kafka import Producer

from functions.adapters.kafka import connection
from functions.core.errors import InvalidSetting
from functions.settings import Settings

SCRAM = b'{"username": "tandem", "password": "hunter2"}'


def settings(**changes: Any) -> Settings:
    given = {
        "stage": "dev", "pipeline": "logins", "lake_bucket": "lake", "dead_letter_bucket": "letters",
        "mask_key_from": "file:/key", "bootstrap_servers": "b-1:9098", "region": "eu-central-1",
    }  # fmt: skip
    return Settings(**(given | changes))


def scram(secret: bytes) -> dict[str, Any]:
    return connection(settings(kafka_auth="scram", scram_from="file:/scram"), lambda _source: secret)


def never(_source: str) -> bytes:
    raise AssertionError


def test_plaintext_needs_no_secret() -> None:
    assert connection(settings(kafka_auth="plaintext"), never) == {
        "bootstrap.servers": "b-1:9098",
        "client.id": "tandem-logins",
    }


def test_iam_signs_tokens_for_its_region_that_expire_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        MSKAuthTokenProvider, "generate_auth_token", lambda region: (f"token-{region}", 1_700_000_000_500)
    )
    chosen = connection(settings(), never)
    assert (chosen["security.protocol"], chosen["sasl.mechanism"]) == ("SASL_SSL", "OAUTHBEARER")
    assert chosen["oauth_cb"]("") == ("token-eu-central-1", 1_700_000_000.5)


def test_iam_reconnects_no_faster_than_small_brokers_allow() -> None:
    assert connection(settings(), never)["reconnect.backoff.ms"] >= 1000


def test_scram_reads_the_secret_that_the_setting_names() -> None:
    locations: list[str] = []

    def secret(location: str) -> bytes:
        locations.append(location)
        return SCRAM

    chosen = connection(settings(kafka_auth="scram", scram_from="file:/scram"), secret)
    assert locations == ["file:/scram"]
    assert (chosen["security.protocol"], chosen["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (chosen["sasl.username"], chosen["sasl.password"]) == ("tandem", "hunter2")


@pytest.mark.parametrize(
    "secret",
    [
        b"hunter2",
        b"\xff\xfe",
        b"[]",
        b'"hunter2"',
        b'{"username": "u"}',
        b'{"username": "u", "password": null}',
        b'{"username": "", "password": "hunter2"}',
        b'{"username": "u", "password": ["hunter2"]}',
    ],
)
def test_a_secret_of_another_form_is_refused_without_showing_it(secret: bytes) -> None:
    with pytest.raises(InvalidSetting, match=r"^TANDEM_SCRAM_FROM: expected the secret to be JSON {.*}$") as error:
        scram(secret)
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None


@pytest.mark.parametrize(
    "changes", [{"kafka_auth": "plaintext"}, {"kafka_auth": "iam"}, {"kafka_auth": "scram", "scram_from": "file:/s"}]
)
def test_librdkafka_accepts_every_kind_of_authentication(
    changes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MSKAuthTokenProvider, "generate_auth_token", lambda _region: ("token", 2**42))
    chosen = connection(settings(bootstrap_servers="127.0.0.1:1", **changes), lambda _source: SCRAM)
    assert isinstance(Producer(chosen | {"log_level": 0}), Producer)
