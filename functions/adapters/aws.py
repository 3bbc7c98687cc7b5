"""AWS clients: one session, one client a service, made when first asked for.

Made on one thread: botocore's sessions are not thread-safe, its clients are. What their errors mean says aws_errors.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.config import Config
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

WRITERS: Final = 16  # how many rows or dead letters are written side by side


@dataclass(frozen=True)
class Aws:
    """The clients of one process. `threads` settle side by side, and `pool` writes for all of them."""

    region: str
    threads: int = WRITERS

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB answers within milliseconds, or the next attempt does."""
        return cast("DynamoDBClient", self._client("dynamodb", read_timeout=5))

    @cached_property
    def s3(self) -> "S3Client":
        """S3 answers a put only once it has taken the whole object."""
        return cast("S3Client", self._client("s3", read_timeout=15))

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        """Asked once, at the start."""
        return cast("SecretsManagerClient", self._client("secretsmanager", read_timeout=5))

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """Asked by a thread of its own, which can wait."""
        return cast("CloudWatchClient", self._client("cloudwatch", read_timeout=5))

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Its tasks never wait for one another, so any number of callers may share it."""
        return ThreadPoolExecutor(WRITERS, "write")

    @cached_property
    def _session(self) -> Session:
        return Session()

    def _client(self, service: str, read_timeout: int) -> Any:  # noqa: ANN401 - botocore makes its classes when it runs
        """Few attempts, because whole settlements are tried again; a connection for every thread that may ask."""
        config = Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=self.threads + WRITERS,
            tcp_keepalive=True,
        )
        return self._session.create_client(service, region_name=self.region, config=config)
