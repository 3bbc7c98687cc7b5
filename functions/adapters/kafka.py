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
    """Settings of librdkafka for reaching the brokers; `secret` reads what `TANDEM_SCRAM_FROM` names."""
    base: dict[str, Any] = {"bootstrap.servers": settings.bootstrap_servers, "client.id": f"tandem-{settings.pipeline}"}
    match settings.kafka_auth:
        case "plaintext":
            return base
        case "iam":
            return base | {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "OAUTHBEARER",
                "oauth_cb": _iam_token(settings.region),
                # "Amazon MSK quota": a broker takes so many new IAM connections a second, kafka.t3.small only 4. Those
                # that it refuses would be there again after librdkafka's 100 ms, and be refused again.
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
    """A signer of MSK's IAM tokens: (token, expiry in Unix seconds); librdkafka asks for a new one in time."""

    def token(_config: str) -> tuple[str, float]:
        # Imported here: a client that authenticates otherwise does not pay for it.
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415

        value, expiry_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return value, expiry_ms / 1000

    return token


def _scram(secret: bytes) -> tuple[str, str]:
    """The form of Amazon MSK's own `AmazonMSK_` secrets."""
    try:
        found = json.loads(secret)
        username, password = found["username"], found["password"]
    except (ValueError, KeyError, TypeError):
        username = password = None
    if not (isinstance(username, str) and username and isinstance(password, str) and password):
        raise InvalidSetting('TANDEM_SCRAM_FROM: the secret takes JSON {"username": "...", "password": "..."}')
    return username, password
