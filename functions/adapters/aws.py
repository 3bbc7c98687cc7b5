"""AWS clients: one session and one client per service, created on first use.

Create them on one thread: botocore's sessions are not thread-safe, its clients are. aws_errors explains their errors.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.config import Config
from botocore.session import Session

from functions.adapters.direct_calls import Calls, DirectOperation, calls
from functions.adapters.direct_operations import PutItem, PutObject

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

WRITERS: Final = 16  # how many rows or dead letters are written in parallel


@dataclass(frozen=True)
class Aws:
    """The clients of one process, for `threads` that settle in parallel. All of them write through `pool`."""

    region: str
    threads: int = WRITERS

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The DynamoDB client. Its timeout is short: DynamoDB normally responds within milliseconds."""
        return cast("DynamoDBClient", self._client("dynamodb", read_timeout=5))

    @cached_property
    def item_puts(self) -> Calls:
        """DynamoDB's PutItem, for what is written one item a request."""
        return self._calls(self.dynamodb, self.dynamodb.put_item, PutItem(self.dynamodb))

    @cached_property
    def s3(self) -> "S3Client":
        """The S3 client. Its timeout is longer, because S3 responds to a put after it has received the whole object."""
        return cast("S3Client", self._client("s3", read_timeout=15))

    @cached_property
    def object_puts(self) -> Calls:
        """S3's PutObject, for small objects."""
        return self._calls(self.s3, self.s3.put_object, PutObject(self.s3))

    @cached_property
    def secretsmanager(self) -> "SecretsManagerClient":
        """The Secrets Manager client, used at the start of the process only."""
        return cast("SecretsManagerClient", self._client("secretsmanager", read_timeout=5))

    @cached_property
    def glue(self) -> Any:  # noqa: ANN401 - botocore creates its classes at run time
        """The Glue client, for pipelines whose records name schemas in its registry."""
        return self._client("glue", read_timeout=5)

    @cached_property
    def lambda_(self) -> Any:  # noqa: ANN401 - see glue
        """The Lambda client, for operators."""
        return self._client("lambda", read_timeout=10)

    @cached_property
    def ssm(self) -> Any:  # noqa: ANN401 - see glue
        """The client of SSM's parameters, for operators."""
        return self._client("ssm", read_timeout=10)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """The CloudWatch client, used by a separate thread."""
        return cast("CloudWatchClient", self._client("cloudwatch", read_timeout=5))

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """The threads for writes. Tasks never wait for each other, so any number of callers may share them."""
        return ThreadPoolExecutor(WRITERS, "write")

    @cached_property
    def _session(self) -> Session:
        return Session()

    def _calls(self, client: Any, method: Callable[..., object], operation: DirectOperation) -> Calls:  # noqa: ANN401 - see glue
        session = self._session
        certificates = session.get_config_variable("ca_bundle")
        return calls(client, method, operation, session.get_credentials(), certificates, self.pool)

    def _client(self, service: str, read_timeout: int) -> Any:  # noqa: ANN401 - botocore creates its classes at run time
        """Create a client with few attempts, as whole settlements are retried, and a connection for every thread."""
        config = Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=self.threads + WRITERS,
            tcp_keepalive=True,
        )
        return self._session.create_client(service, region_name=self.region, config=config)
