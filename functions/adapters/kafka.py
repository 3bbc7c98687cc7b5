"""How Kafka clients authenticate: MSK IAM, SCRAM over TLS, or plaintext.

Credentials come from files or Secrets Manager.
"""

import json
from collections.abc import Callable
from typing import Any

from functions.core.errors import InvalidSetting
from functions.settings import Settings

Secret = Callable[[str], bytes]


def connection(settings: Settings, secret: Secret) -> dict[str, Any]:
    """Return librdkafka's settings to reach the brokers; `secret` reads the secret that `TANDEM_SCRAM_FROM` names."""
    base: dict[str, Any] = {"bootstrap.servers": settings.bootstrap_servers, "client.id": f"tandem-{settings.pipeline}"}
    match settings.kafka_auth:
        case "plaintext":
            return base
        case "iam":
            return base | {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "OAUTHBEARER",
                "oauth_cb": _iam_token(settings.region),
                # "Amazon MSK quota": brokers limit new IAM connections per second, kafka.t3.small to 4.
                # After librdkafka's default of 100 ms, clients that were refused would be refused again.
                "reconnect.backoff.ms": 1000,
            }
        case "scram":
            username, password = _scram(secret(settings.scram_from or ""))
            return base | {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": username,
                "sasl.password": password,
            }


def _iam_token(region: str) -> Callable[[str], tuple[str, float]]:
    """Return a signer of MSK's IAM tokens, as (token, expiry in Unix seconds). librdkafka calls it before expiry."""

    def token(_config: str) -> tuple[str, float]:
        # Imported here, so that clients with another authentication do not load it.
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415

        value, expiry_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return value, expiry_ms / 1000

    return token


def _scram(secret: bytes) -> tuple[str, str]:
    """Return user name and password of a secret in the format of Amazon MSK's `AmazonMSK_` secrets."""
    try:
        credentials = json.loads(secret)
        username, password = credentials["username"], credentials["password"]
    except (ValueError, KeyError, TypeError):
        username = password = None
    if not (isinstance(username, str) and username and isinstance(password, str) and password):
        raise InvalidSetting('TANDEM_SCRAM_FROM: expected the secret to be JSON {"username": "...", "password": "..."}')
    return username, password
