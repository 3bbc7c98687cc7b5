"""What botocore's errors mean to a runtime.

Law: no other module catches them, except for an answer that is an outcome: a condition that does not hold, an object
that is not there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from functions.core.errors import Fatal, Refused, TandemError, Unavailable

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
