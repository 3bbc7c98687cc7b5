"""Secrets: from a file that the platform mounts, or from AWS Secrets Manager."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from functions.adapters.aws_errors import calling
from functions.core.errors import Fatal, InvalidSetting, Refused

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FILE: Final = "file:"


def secret(source: str, secrets_manager: Callable[[], "SecretsManagerClient"]) -> bytes:
    r"""The secret at `file:/PATH` or at a Secrets Manager ARN, without line ends behind it.

    Those come from editors and `echo`, and would make the same key another one on the other runtime. Raises
    InvalidSetting where there is no secret or no permission, Unavailable where AWS may answer later.
    """
    try:
        found = _file(source) if source.startswith(FILE) else _managed(source, secrets_manager())
    except (OSError, Refused, Fatal) as error:
        raise InvalidSetting(" ".join(f"cannot read the secret {source}: {error}".split())) from error
    if not (trimmed := found.rstrip(b"\r\n")):
        raise InvalidSetting(f"the secret {source} is empty")
    return trimmed


def _file(source: str) -> bytes:
    return Path(source.removeprefix(FILE)).read_bytes()


def _managed(arn: str, client: "SecretsManagerClient") -> bytes:
    with calling("Secrets Manager"):
        found = cast("dict[str, Any]", client.get_secret_value(SecretId=arn))
    return bytes(found["SecretBinary"]) if "SecretBinary" in found else str(found["SecretString"]).encode()
