"""Secrets: from a file that the platform mounts, or from AWS Secrets Manager."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from functions.adapters.aws_errors import calling
from functions.core.errors import Fatal, InvalidSetting, Refused

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FILE: Final = "file:"


def secret(location: str, secrets_manager: Callable[[], "SecretsManagerClient"]) -> bytes:
    r"""Read the secret at `file:/PATH` or at a Secrets Manager ARN, without line ends at its end.

    Editors and `echo` add those, so that the same key would differ between the runtimes. Raises InvalidSetting if the
    secret or the permission is missing, Unavailable if AWS may respond later.
    """
    try:
        value = _file(location) if location.startswith(FILE) else _managed(location, secrets_manager())
    except (OSError, Refused, Fatal) as error:
        raise InvalidSetting(" ".join(f"cannot read the secret {location}: {error}".split())) from error
    if not (trimmed := value.rstrip(b"\r\n")):
        raise InvalidSetting(f"the secret {location} is empty")
    return trimmed


def _file(location: str) -> bytes:
    return Path(location.removeprefix(FILE)).read_bytes()


def _managed(arn: str, client: "SecretsManagerClient") -> bytes:
    with calling("Secrets Manager"):
        response = cast("dict[str, Any]", client.get_secret_value(SecretId=arn))
    return bytes(response["SecretBinary"]) if "SecretBinary" in response else str(response["SecretString"]).encode()
