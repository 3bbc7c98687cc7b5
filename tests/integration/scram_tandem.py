"""The `tandem` command for a broker whose listener for SCRAM has no TLS: all else is as in a stage on MSK."""

from typing import Any

from functions import bootstrap
from functions.adapters.kafka import Secret, connection
from functions.cli.main import main
from functions.settings import Settings


def without_tls(settings: Settings, secret: Secret) -> dict[str, Any]:
    """Return the settings of clients, without TLS."""
    return connection(settings, secret) | {"security.protocol": "SASL_PLAINTEXT"}


if __name__ == "__main__":
    vars(bootstrap)["connection"] = without_tls
    main()
