"""What a run stands on: Apache Kafka, an AWS emulator behind a fault proxy, stores, topics, and settings."""

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import boto3
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from functions import registry
from functions.core import names
from functions.local import stores
from functions.local.aws import LocalAws
from functions.local.broker.apache import apache
from functions.local.event_source.function import Function
from tests.chaos.options import Options
from tests.proxy.proxy import Proxy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

STAGE: Final = "chaos"
PIPELINE: Final = "logins"
LAKE: Final = "tandem-chaos-lake"
LETTERS: Final = "tandem-chaos-dead-letters"
PARTITIONS: Final = 4  # at first
OUTPUT_PARTITIONS: Final = 4
HANDLER: Final = "functions.runtimes.msk.handler.handler"
SLICE_SECONDS: Final = 1.0
QUIET: Final = {"log_level": 0, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500}


class Ground(AbstractContextManager["Ground"]):
    """Set up when made; everything ends with it. Unavailable where there is no Apache Kafka to be had."""

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        self._options = options
        with ExitStack() as stack:
            self.broker = apache(say)
            stack.enter_context(self.broker)
            self.aws = stack.enter_context(LocalAws())
            os.environ.update(self.aws.environment())  # this process is the run's alone: it never reaches a real AWS
            self.proxy = stack.enter_context(Proxy(self.aws.endpoint))
            self._secrets = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tandem-chaos-")))
            self.mask_key = secrets.token_hex(16).encode()
            (self._secrets / "mask-key").write_bytes(self.mask_key)
            self.pipeline = registry.load(PIPELINE)
            self.output = self.pipeline.topics[0].name
            self.partitions = self.broker.create_topic(self.pipeline.topic, PARTITIONS)
            self.broker.create_topic(self.output, OUTPUT_PARTITIONS)
            self.queue = stores.create(self._client, STAGE, [self.pipeline], LAKE, LETTERS)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def environment(self) -> dict[str, str]:
        """The variables of both runtimes: they reach the stores through the proxy."""
        aws = self.aws.environment()
        behind = {name: self.proxy.endpoint for name in aws if name.startswith("AWS_ENDPOINT_URL")}
        return aws | behind | {
            "TANDEM_STAGE": STAGE,
            "TANDEM_PIPELINE": PIPELINE,
            "TANDEM_LAKE_BUCKET": LAKE,
            "TANDEM_DEAD_LETTER_BUCKET": LETTERS,
            "TANDEM_MASK_KEY_FROM": f"file:{self._secrets / 'mask-key'}",
            "TANDEM_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "TANDEM_KAFKA_AUTH": "plaintext",
            "TANDEM_HTTP_HOST": "127.0.0.1",
            "TANDEM_HTTP_PORT": "0",
            "TANDEM_SLICE_SECONDS": str(SLICE_SECONDS),
            "TANDEM_SESSION_TIMEOUT_SECONDS": str(self._options.session),
            "TANDEM_DRAIN_SECONDS": str(2 * self._options.session),
            "TANDEM_BYTES_IN_FLIGHT": str(self._options.bytes_in_flight),
            "TANDEM_TIME_MARGIN_SECONDS": "1",
            "POWERTOOLS_TRACE_DISABLED": "true",
        }  # fmt: skip

    @property
    def group(self) -> str:
        """The consumer group of both runtimes."""
        return names.group(STAGE, PIPELINE)

    def function(self, log: Path) -> Function:
        """The msk runtime."""
        return Function(HANDLER, self.environment, region=self.aws.region, log=log)

    def add_partitions(self, more: int) -> int:
        """Raise the source topic's number of partitions; how many there are now."""
        wanted = self.partitions + more
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, **QUIET})
        admin.create_partitions([NewPartitions(self.pipeline.topic, wanted)])[self.pipeline.topic].result(timeout=30)
        self.partitions = self.broker.create_topic(self.pipeline.topic, wanted)  # waits for their leaders
        return self.partitions

    @cached_property
    def s3(self) -> "S3Client":
        """Straight to the emulator, as all clients of the run itself."""
        return boto3.Session().client("s3")

    @cached_property
    def sqs(self) -> "SQSClient":
        """For reading the announcements."""
        return boto3.Session().client("sqs")

    @cached_property
    def dynamodb(self) -> "DynamoDBServiceResource":
        """For the ledger and the verification."""
        return boto3.Session().resource("dynamodb")

    def _client(self, service: str) -> Any:
        return boto3.Session().client(service)  # type: ignore[call-overload]
