"""A pipeline's stage on this machine: its stores on the emulator, its mask key, and the variables of both runtimes."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from boto3 import Session

import functions
from functions.core import names
from functions.core.pipeline import AnyPipeline
from functions.settings import read as read_settings
from sandbox import stores
from sandbox.aws import LocalAws
from sandbox.broker.broker import Broker
from sandbox.event_source.function import LambdaFunction

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

HANDLER: Final = "functions.runtimes.msk.handler.handler"
ROOT: Final = Path(functions.__path__[0]).parent
KEY_BYTES: Final = 16


@dataclass
class LocalStage:
    """Set up on construction, or InvalidSetting. It ends with the emulator; all but the topics is named after `name`.

    This process's own environment is directed to the emulator: nothing here may ever reach a real AWS.
    """

    name: str
    pipeline: AnyPipeline
    broker: Broker
    aws: LocalAws
    folder: Path  # for the mask key
    session_seconds: float  # how long the group waits for a silent member
    settings: Mapping[str, str]  # variables that add to those of every stage, or replace them
    mask_key: bytes = field(default_factory=lambda: secrets.token_hex(KEY_BYTES).encode())
    queue: str = field(init=False)  # the URL of the queue that announces dead letters

    def __post_init__(self) -> None:
        read_settings(self.environment)  # refuses here what would fail each invocation, where only a log shows it
        self._key.touch(0o600)
        self._key.write_bytes(self.mask_key)
        os.environ.update(self.aws.environment())
        client: Any = Session().client
        self.queue = stores.create(client, self.name, [self.pipeline], self.lake, self.dead_letters)

    @property
    def lake(self) -> str:
        """The name of the lake's bucket."""
        return f"{self.name}-lake"

    @property
    def dead_letters(self) -> str:
        """The name of the dead letters' bucket."""
        return f"{self.name}-dead-letters"

    @property
    def group(self) -> str:
        """The consumer group of both runtimes."""
        return names.consumer_group(self.name, self.pipeline.name)

    @cached_property
    def environment(self) -> dict[str, str]:
        """The variables of both runtimes."""
        return {
            **self.aws.environment(),
            "TANDEM_STAGE": self.name,
            "TANDEM_PIPELINE": self.pipeline.name,
            "TANDEM_LAKE_BUCKET": self.lake,
            "TANDEM_DEAD_LETTER_BUCKET": self.dead_letters,
            "TANDEM_MASK_KEY_FROM": f"file:{self._key}",
            "TANDEM_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "TANDEM_KAFKA_AUTH": "plaintext",
            "TANDEM_HTTP_HOST": "127.0.0.1",
            "TANDEM_HTTP_PORT": "0",
            "TANDEM_SESSION_TIMEOUT_SECONDS": str(self.session_seconds),
            "POWERTOOLS_TRACE_DISABLED": "true",
            **self.settings,
        }

    def function(self, log: Path) -> LambdaFunction:
        """Return the `msk` runtime's function; its output is appended to `log`."""
        return LambdaFunction(HANDLER, self.environment, region=self.aws.region, task_root=ROOT, log=log)

    @cached_property
    def s3(self) -> "S3Client":
        """A client that bypasses any proxy, as the other clients do."""
        return Session().client("s3")

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client for reading announcements."""
        return Session().client("sqs")

    @cached_property
    def dynamodb(self) -> "DynamoDBServiceResource":
        """A client for the ledger, the counters and the tables."""
        return Session().resource("dynamodb")

    @property
    def _key(self) -> Path:
        return self.folder / "mask-key"
