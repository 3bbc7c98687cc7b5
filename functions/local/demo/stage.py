"""What the story is played on: a broker, an AWS emulator with its stores, topics, and the settings of both runtimes."""

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

import boto3

from functions import registry
from functions.core import names
from functions.local import stores
from functions.local.aws import LocalAws
from functions.local.broker.choose import choose
from functions.local.demo.topics import Topics

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

PIPELINE: Final = "logins"
LAKE: Final = "tandem-demo-lake"
LETTERS: Final = "tandem-demo-dead-letters"
KEY_BYTES: Final = 16


class Stage(AbstractContextManager["Stage"]):
    """Set up when made; everything ends with it, however that comes about. `say` is told what takes long."""

    def __init__(self, choice: str, *, flood_ratio: float | None, say: Callable[[str], None]) -> None:
        """Broker `choice` is auto, apache, embedded or HOST:PORT; `flood_ratio` None leaves the pipeline's own."""
        self._flood_ratio = flood_ratio
        with ExitStack() as stack:
            self.broker = stack.enter_context(choose(choice, say))
            self.name = f"demo-{secrets.token_hex(4)}"  # a group of its own, also on a broker that others use
            self.pipeline = registry.load(PIPELINE)
            output = self.pipeline.topics[0].name
            self.topics = stack.enter_context(Topics(self.broker, self.pipeline.topic, output))
            self.aws = stack.enter_context(LocalAws())
            self._secrets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-demo-")))
            self.mask_key = secrets.token_hex(KEY_BYTES).encode()
            (self._secrets / "mask-key").write_bytes(self.mask_key)
            self.queue = stores.create(self._client, self.name, [self.pipeline], LAKE, LETTERS)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def environment(self) -> dict[str, str]:
        """The variables of both runtimes."""
        ratio = {} if self._flood_ratio is None else {"TANDEM_FLOOD_RATIO": str(self._flood_ratio)}
        return {
            **self.aws.environment(),
            **ratio,
            "TANDEM_STAGE": self.name,
            "TANDEM_PIPELINE": PIPELINE,
            "TANDEM_LAKE_BUCKET": LAKE,
            "TANDEM_DEAD_LETTER_BUCKET": LETTERS,
            "TANDEM_MASK_KEY_FROM": f"file:{self._secrets / 'mask-key'}",
            "TANDEM_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "TANDEM_KAFKA_AUTH": "plaintext",
            "TANDEM_HTTP_HOST": "127.0.0.1",
            "TANDEM_HTTP_PORT": "0",
            "TANDEM_SESSION_TIMEOUT_SECONDS": str(self.session_seconds),
            "POWERTOOLS_TRACE_DISABLED": "true",
        }

    @property
    def session_seconds(self) -> int:
        """How long a member of the group that was killed remains one. Brokers take no less than 6, ours do."""
        return 6 if self.broker.kind == "external" else 3

    @property
    def group(self) -> str:
        """The consumer group of both runtimes."""
        return names.group(self.name, PIPELINE)

    @cached_property
    def s3(self) -> "S3Client":
        """For the verification."""
        return cast("S3Client", self._client("s3"))

    @cached_property
    def dynamodb(self) -> "DynamoDBServiceResource":
        """For the verification, and for watching the ledger."""
        return self._session.resource("dynamodb")

    @cached_property
    def sqs(self) -> "SQSClient":
        """For reading the announcements."""
        return cast("SQSClient", self._client("sqs"))

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its classes when it runs
        return self._session.client(service)  # type: ignore[call-overload]

    @cached_property
    def _session(self) -> boto3.Session:
        # This process is the demo's alone, so its environment may be as well: nothing here may ever reach a real AWS.
        os.environ.update(self.aws.environment())
        return boto3.Session()
