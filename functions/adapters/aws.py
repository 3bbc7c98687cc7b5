"""AWS clients, and what their errors mean to a runtime.

Laws: one session, one client a service, made when first asked for and on one thread (botocore's sessions are not
thread-safe, its clients are). No other module catches botocore's errors, except for an answer that is an outcome: a
condition that does not hold, an object that is not there.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from functions.core.errors import Fatal, Refused, TandemError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

WRITERS: Final = 16  # how many rows or dead letters are written side by side

# Over within a moment by themselves, besides every 5xx, 408 and 429. Expired credentials are renewed in the background.
PASSING: Final = frozenset({
    "BandwidthLimitExceeded", "ConditionalRequestConflict", "ExpiredToken", "ExpiredTokenException", "InternalError",
    "InternalServerError", "KMS.ThrottlingException", "LimitExceededException", "OperationAborted",
    "PriorRequestNotComplete", "ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException", "RequestExpired", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "RequestTimeTooSkewed", "RequestTimeout", "RequestTimeoutException",
    "ServiceUnavailable", "SlowDown", "ThrottledException", "Throttling", "ThrottlingError", "ThrottlingException",
    "TooManyRequestsException", "TransactionConflict", "TransactionConflictException", "TransactionInProgressException",
})  # fmt: skip
UNREACHED: Final = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.ChecksumError,
    exceptions.FlexibleChecksumError,
    exceptions.CredentialRetrievalError,
    exceptions.MetadataRetrievalError,
)


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


@contextmanager
def calling(resource: str) -> Iterator[None]:
    """Turn botocore's errors into Unavailable, Refused or Fatal; `resource` says what the calls are about."""
    try:
        yield
    except ClientError as error:
        raise _answered(resource, error) from error
    except BotoCoreError as error:
        raise _unanswered(resource, error) from error


def code(error: ClientError) -> str:
    """AWS's name of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def reasons(error: ClientError) -> list[str]:
    """Why a DynamoDB transaction was cancelled: a code for each of its items, in their order."""
    found = cast("dict[str, Any]", error.response).get("CancellationReasons", ())
    return [reason.get("Code", "None") for reason in found]


def _answered(resource: str, error: ClientError) -> TandemError:
    kind = Unavailable if _passes(error) else Refused
    message = error.response.get("Error", {}).get("Message", "")
    return kind(f"{resource}: {error.operation_name}: {code(error)}: {message}{_cancelled(error)}")


def _passes(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    frozen = code(error) == "InvalidSignatureException" and "expired" in str(error)  # Lambda froze in mid-request
    return status >= 500 or status in (408, 429) or frozen or not PASSING.isdisjoint([code(error), *reasons(error)])  # noqa: PLR2004


def _cancelled(error: ClientError) -> str:
    """What AWS says about the items of a cancelled transaction, each thing once."""
    found = cast("dict[str, Any]", error.response).get("CancellationReasons", ())
    return "".join(sorted({f"; {each['Code']}: {each['Message']}" for each in found if each.get("Message")}))


def _unanswered(resource: str, error: BotoCoreError) -> TandemError:
    if isinstance(error, exceptions.NoCredentialsError):
        # A client that found none when it was made never looks again, but a new process does.
        return Fatal(f"{resource}: {error}")
    kind = Unavailable if isinstance(error, UNREACHED) else Refused
    return kind(f"{resource}: {type(error).__name__}: {error}")
