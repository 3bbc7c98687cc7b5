"""The AWS emulator: moto in a child process, with S3, DynamoDB and SQS at one address.

Laws: it listens on the loopback address only; it ends with its parent; with `environment()` boto3 reaches nothing else.
"""

import os
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from sandbox.process import Process

SERVICES: Final = (
    "S3", "DYNAMODB", "SQS", "SECRETS_MANAGER", "STS", "CLOUDFORMATION", "CLOUDWATCH", "KAFKA", "LAMBDA", "SSM"
)  # fmt: skip
START_SECONDS: Final = 120.0


class LocalAws(AbstractContextManager["LocalAws"]):
    """A running emulator: empty at first, stopped by `stop` or with this process."""

    def __init__(self, region: str = "us-east-1", start_seconds: float = START_SECONDS) -> None:
        """Start it and wait until it listens: RuntimeError, with the end of its log, if it does not."""
        self.region = region
        self._home = tempfile.TemporaryDirectory(prefix="tandem-aws-")
        folder = Path(self._home.name)
        self._config = folder / "config"
        self._config.write_text("[default]\n")  # boto3 refuses a profile that is named and does not exist
        port = folder / "port"
        command = [sys.executable, "-m", "sandbox.moto_server", str(port)]
        self._process = Process(command, folder / "aws-emulator.log")
        try:
            self._process.wait_until(port.exists, start_seconds)
        except BaseException:
            self.stop()
            raise
        self.endpoint = f"http://127.0.0.1:{port.read_text()}"

    def environment(self) -> dict[str, str]:
        """Return the variables for a process. They also override those of a developer's own environment."""
        return endpoints(self.endpoint) | {
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "AWS_USE_FIPS_ENDPOINT": "false",
            "AWS_USE_DUALSTACK_ENDPOINT": "false",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_CREDENTIAL_EXPIRATION": "",
            "AWS_CONFIG_FILE": str(self._config),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PROFILE": "default",
            "AWS_DEFAULT_PROFILE": "default",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }  # fmt: skip

    def stop(self) -> None:
        """Stop it and delete its data. Idempotent."""
        self._process.kill()
        self._home.cleanup()

    def __exit__(self, *_: object) -> None:
        self.stop()


def endpoints(address: str) -> dict[str, str]:
    """Return the variables that direct boto3 to an address: the emulator's, or that of a proxy in front of it."""
    return {f"AWS_ENDPOINT_URL_{service}": address for service in SERVICES} | {"AWS_ENDPOINT_URL": address}
