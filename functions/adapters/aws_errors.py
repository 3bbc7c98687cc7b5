"""Maps botocore's errors to Tandem's.

Law: no other module catches botocore's errors, except an expected response: a condition that is not met, an object
that does not exist.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from functions.core.errors import Fatal, Refused, TandemError, Unavailable

# These errors disappear without action, as do all with status 5xx, 408 or 429.
THROTTLED: Final = (
    "BandwidthLimitExceeded", "KMS.LimitExceededException", "KMS.ThrottlingException", "LimitExceededException",
    "ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
    "RequestThrottled", "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingError",
    "ThrottlingException", "TooManyRequestsException",
)  # fmt: skip
# Other requests, to the same item, object or transaction, were in progress.
CONCURRENT: Final = (
    "ConditionalRequestConflict", "OperationAborted", "PriorRequestNotComplete", "ReplicatedWriteConflictException",
    "TransactionConflict", "TransactionConflictException", "TransactionInProgressException",
)  # fmt: skip
# The service, or one that it uses, did not work, or its name moved.
NOT_WORKING: Final = (
    "IDPCommunicationError", "InternalError", "InternalFailure", "InternalServerError", "InternalServiceError",
    "KMS.DependencyTimeoutException", "KMS.InternalException", "KMS.KMSInternalException",
    "KMS.KeyUnavailableException", "ServiceUnavailable", "TemporaryRedirect",
)  # fmt: skip
# The request was cut off, changed or delayed on its way.
NOT_ARRIVED: Final = (
    "BadDigest", "IncompleteBody", "RequestExpired", "RequestTimeTooSkewed", "RequestTimeout",
    "RequestTimeoutException", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch",
)  # fmt: skip
# The credentials of a role are renewed before and after they expire, and new ones are not known everywhere at once.
CREDENTIALS: Final = (
    "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken",
    "TokenRefreshRequired", "UnrecognizedClientException",
)  # fmt: skip
TRANSIENT_CODES: Final = frozenset((*THROTTLED, *CONCURRENT, *NOT_WORKING, *NOT_ARRIVED, *CREDENTIALS))
# A signature is valid for minutes: Lambda froze the environment during a request, or a clock is being set.
SIGNATURE_TIME: Final = ("expired", "not yet current")
# botocore and DynamoDB quote values of items: they may identify a person, and messages are logged.
QUOTED_VALUE: Final = re.compile(r"((?:, |numeric )value: ).*?(?=, (?:type|valid)|\Z)", re.DOTALL)
CONNECTION_ERRORS: Final = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.ChecksumError,
    exceptions.FlexibleChecksumError,
    exceptions.CredentialRetrievalError,
    exceptions.MetadataRetrievalError,
    ResponseParserError,  # a response that was cut off
    HTTPError,  # the same where botocore reads the body of an error, and lets urllib3's own error through
)


@contextmanager
def calling(resource: str) -> Iterator[None]:
    """Turn botocore's errors into Unavailable, Refused or Fatal; `resource` names what the calls use."""
    try:
        yield
    except ClientError as error:
        raise _response_error(resource, error) from _cause(error)
    except (BotoCoreError, ResponseParserError, HTTPError) as error:
        raise _request_error(resource, error) from _cause(error)


def _cause(error: Exception) -> Exception | None:
    """Return the error, whose message a traceback would show, unless that quotes values."""
    return None if QUOTED_VALUE.search(str(error)) else error


def code(error: ClientError) -> str:
    """Return the error's code, such as "SlowDown"; empty if there is none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: ClientError) -> str:
    """Return the error's message; empty if there is none."""
    return str(error.response.get("Error", {}).get("Message", ""))


def reasons(error: ClientError) -> list[str]:
    """Return why a DynamoDB transaction was cancelled: one code per item, in the order of the items."""
    return [reason.get("Code", "None") for reason in _cancellation_reasons(error)]


def _response_error(resource: str, error: ClientError) -> TandemError:
    error_class = Unavailable if _is_transient(error) else Refused
    text = _without_values(f"{message(error)}{_item_messages(error)}")
    return error_class(f"{resource}: {error.operation_name}: {code(error)}: {text}")


def _without_values(text: str) -> str:
    return QUOTED_VALUE.sub(r"\1(not shown)", text)


def _is_transient(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or status in (408, 429):  # noqa: PLR2004 - HTTP's
        return True
    if code(error) == "InvalidSignatureException" and any(text in str(error) for text in SIGNATURE_TIME):
        return True
    return not TRANSIENT_CODES.isdisjoint([code(error), *reasons(error)])


def _item_messages(error: ClientError) -> str:
    """Return the distinct messages about the items of a cancelled transaction."""
    reasons_ = _cancellation_reasons(error)
    return "".join(sorted({f"; {reason['Code']}: {reason['Message']}" for reason in reasons_ if reason.get("Message")}))


def _cancellation_reasons(error: ClientError) -> Sequence[Mapping[str, str]]:
    return cast("dict[str, Any]", error.response).get("CancellationReasons", ())  # type: ignore[no-any-return]


def _request_error(resource: str, error: Exception) -> TandemError:
    if isinstance(error, exceptions.NoCredentialsError):
        # A client that found no credentials when it was created never looks again, but a new process does.
        return Fatal(f"{resource}: {error}")
    error_class = Unavailable if isinstance(error, CONNECTION_ERRORS) else Refused
    return error_class(f"{resource}: {type(error).__name__}: {_without_values(str(error))}")
