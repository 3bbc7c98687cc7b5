from collections.abc import Callable
from datetime import UTC, date, datetime
from traceback import format_exception
from typing import Any

import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError

from functions.adapters.aws import Aws
from functions.adapters.aws_errors import TRANSIENT_CODES, calling
from functions.adapters.dead_letter_archive import S3DeadLetterArchive
from functions.adapters.dead_letters import S3DeadLetters
from functions.adapters.discarded_batches import S3DiscardedBatches
from functions.adapters.lake import S3Lake
from functions.adapters.lake_listing import S3LakeListing
from functions.adapters.lake_quarantine import S3LakeQuarantine
from functions.adapters.ledger import DynamoLedger
from functions.adapters.ledger_repair import DynamoLedgerRepair
from functions.adapters.redrive_claims import DynamoClaimStore
from functions.adapters.table import DynamoTable
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import Count, Newest, Order
from functions.core.errors import Fatal, Refused, Retry, Stop, Unavailable
from functions.core.intent import Gap
from functions.core.operator_ports import LetterEntry
from functions.core.ports import DurableStop, Opening, Position, Source, StopReason, Suspect
from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState, RedriveClaim
from functions.core.schema import Schema
from tests.intents import intent_with
from tests.unit.adapters.clients import client_error, fails

URL = {"endpoint_url": "https://dynamodb"}


@pytest.mark.parametrize("code", sorted(TRANSIENT_CODES))
def test_a_transient_error_is_unavailable(code: str) -> None:
    with pytest.raises(Unavailable), calling("table t"):
        raise client_error(code)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_every_transient_code_is_unavailable(status: int) -> None:
    with pytest.raises(Unavailable), calling("table t"):
        raise client_error("Whatever", status)


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ReadTimeoutError(**URL),
        exceptions.ConnectTimeoutError(**URL),
        exceptions.EndpointConnectionError(**URL),
        exceptions.ConnectionClosedError(**URL),
        exceptions.SSLError(error=OSError("reset"), **URL),
        exceptions.ResponseStreamingError(error="reset"),
        exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        exceptions.FlexibleChecksumError(error_msg="wrong"),
        exceptions.CredentialRetrievalError(provider="container-role", error_msg="timed out"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_error_is_unavailable(error: Exception) -> None:
    with pytest.raises(Unavailable, match=f"table t: {type(error).__name__}: ") as raised, calling("table t"):
        raise error
    assert isinstance(raised.value, Retry)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    ("code", "status"),
    [("AccessDeniedException", 400), ("AccessDenied", 403), ("ResourceNotFoundException", 400), ("NoSuchBucket", 404),
     ("ValidationException", 400), ("InvalidSignatureException", 403), ("SignatureDoesNotMatch", 403),
     ("KMS.DisabledException", 400), ("KMS.NotFoundException", 400), ("EntityTooLarge", 400), ("InvalidRequest", 400),
     ("ItemCollectionSizeLimitExceededException", 400), ("InvalidIdentityToken", 400)],
)  # fmt: skip
def test_a_permanent_error_is_refused_and_fully_described(code: str, status: int) -> None:
    with pytest.raises(Refused) as raised, calling("table t"):
        raise client_error(code, status, "PutItem")
    assert isinstance(raised.value, Stop)
    assert str(raised.value) == f"table t: PutItem: {code}: because"


@pytest.mark.parametrize(
    ("service", "codes"),
    {
        "S3": "BadDigest IncompleteBody OperationAborted ConditionalRequestConflict RequestTimeout SlowDown "
        "InternalError ServiceUnavailable XAmzContentChecksumMismatch XAmzContentSHA256Mismatch TokenRefreshRequired "
        "ExpiredToken InvalidToken InvalidAccessKeyId RequestTimeTooSkewed TemporaryRedirect",
        "KMS, through S3": "KMS.ThrottlingException KMS.KMSInternalException KMS.DependencyTimeoutException "
        "KMS.KeyUnavailableException",
        "DynamoDB": "InternalServerError LimitExceededException ProvisionedThroughputExceededException "
        "RequestLimitExceeded ThrottlingException TransactionConflictException TransactionInProgressException "
        "ReplicatedWriteConflictException UnrecognizedClientException ExpiredTokenException",
        "STS": "IDPCommunicationError ExpiredTokenException InvalidClientTokenId Throttling RequestExpired",
        "Secrets Manager": "InternalServiceError",
    }.items(),
)
def test_what_a_service_documents_as_passing_is_unavailable(service: str, codes: str) -> None:
    for code in codes.split():
        with pytest.raises(Unavailable, match=f"{service}: Call: {code}"), calling(service):
            raise client_error(code, 400)


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ParamValidationError(
            report="Invalid type for parameter Item.ip.S, value: 10.0.0.1\n, and more, type: <class 'int'>, valid types"
        ),
        client_error("ValidationException", message="The parameter cannot be converted to a numeric value: 10.0.0.1"),
        client_error(
            "TransactionCanceledException",
            CancellationReasons=[{"Code": "ValidationError", "Message": "not a number, value: 10.0.0.1"}],
        ),
    ],
    ids=["botocore", "DynamoDB", "a transaction"],
)
def test_a_message_quotes_no_value_of_an_item(error: Exception) -> None:
    with pytest.raises(Refused, match=r"value: \(not shown\)") as raised, calling("table t"):
        raise error
    assert "10.0.0.1" not in "".join(format_exception(raised.value))


def test_a_response_that_was_cut_off_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="ResponseParserError"), calling("s3://bucket"):
        raise ResponseParserError("no element found: line 1, column 0")


@pytest.mark.parametrize("text", ["Signature expired", "Signature not yet current"])
def test_a_request_that_was_frozen_in_mid_air_is_unavailable(text: str) -> None:
    error = client_error("InvalidSignatureException")
    error.response["Error"]["Message"] = text
    with pytest.raises(Unavailable), calling("table t"):
        raise exceptions.ClientError(error.response, "PutItem")


def test_invalid_requests_are_refused() -> None:
    with pytest.raises(Refused, match="ParamValidationError"), calling("table t"):
        raise exceptions.ParamValidationError(report="x")


def test_missing_credentials_need_a_new_process() -> None:
    with pytest.raises(Fatal, match="Unable to locate credentials"), calling("table t"):
        raise exceptions.NoCredentialsError


def test_other_errors_are_not_changed() -> None:
    with pytest.raises(ZeroDivisionError), calling("table t"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (["None", "TransactionConflict"], Unavailable),
        (["TransactionConflict", "None"], Unavailable),
        (["ThrottlingError", "None"], Unavailable),
        (["None", "ProvisionedThroughputExceeded"], Unavailable),
        (["None", "ValidationError"], Refused),
        (["None", "ConditionalCheckFailed"], Refused),
    ],
)
def test_a_cancelled_transaction_is_as_transient_as_its_reasons(
    aws: Aws, codes: list[str], kind: type[Exception]
) -> None:
    reasons = [{"Code": code, "Message": f"about {code}"} if code != "None" else {"Code": code} for code in codes]
    fails(aws.dynamodb, client_error("TransactionCanceledException", CancellationReasons=reasons))
    why = next(code for code in codes if code != "None")
    with pytest.raises(kind, match=f"tables l and c: Call: TransactionCanceledException: because; {why}: about {why}$"):
        advance(aws)


@pytest.mark.parametrize(
    "codes", [["ConditionalCheckFailed", "None"], ["ConditionalCheckFailed", "TransactionConflict"]]
)
def test_a_transaction_whose_ledger_moved_on_is_an_outcome(aws: Aws, codes: list[str]) -> None:
    reasons = [{"Code": code} for code in codes]
    fails(aws.dynamodb, client_error("TransactionCanceledException", CancellationReasons=reasons))
    assert advance(aws) is False


SOURCE = Source("p", "t", 0)
PLACE, NOW = RecordPlace("t", 0, 1), datetime(2026, 11, 23, tzinfo=UTC)
CLAIM = RedriveClaim(PLACE, ClaimState.SENDING, 1, "owner", NOW, PLACE)
STOP = DurableStop(StopReason.FLOOD, "why", 0, 1, 2)
STOPPED = Position(0, 1, None, -1, stop=STOP)
LETTER = DeadLetter("p", "t", 0, 1, 2, None, None, [], Reason.FAILED, "", "")


def ledger(aws: Aws) -> DynamoLedger:
    return DynamoLedger(aws.dynamodb, "l", "c")


def lake(aws: Aws) -> S3Lake:
    return S3Lake(aws.s3, "bucket")


def claims(aws: Aws) -> DynamoClaimStore:
    return DynamoClaimStore(aws.dynamodb, "l", "p")


def repair(aws: Aws) -> DynamoLedgerRepair:
    return DynamoLedgerRepair(aws.dynamodb, "l", "c")


def quarantine(aws: Aws) -> S3LakeQuarantine:
    return S3LakeQuarantine(aws.s3, "bucket", "bucket")


def archive(aws: Aws) -> S3DeadLetterArchive:
    return S3DeadLetterArchive(aws.s3, "bucket", "p")


def advance(aws: Aws) -> bool:
    at = Position(0, 0, None, -1)
    return ledger(aws).advance(SOURCE, at, at, [Count("c", "", 0, 1)], Gap(0, 1))


CALLS: dict[str, Callable[[Aws], Any]] = {
    "read": lambda aws: ledger(aws).read(SOURCE),
    "begin": lambda aws: ledger(aws).begin(SOURCE, 0, "id"),
    "open": lambda aws: ledger(aws).open(SOURCE, 0, 1, Opening(date(2026, 11, 23), has_object=True, owner="me")),
    "narrow": lambda aws: ledger(aws).narrow(SOURCE, Position(0, 0, None, -1, owner="me"), Suspect(9, 3)),
    "release": lambda aws: ledger(aws).release(SOURCE, "me"),
    "stop": lambda aws: ledger(aws).stop(SOURCE, DurableStop(StopReason.FLOOD, "why", 0, 1, 2)),
    "advance": advance,
    "positions": lambda aws: ledger(aws).positions("p", "t"),
    "gaps": lambda aws: ledger(aws).gaps(SOURCE),
    "lake put": lambda aws: lake(aws).put(SOURCE, date(2026, 11, 23), intent_with(Schema(()))),
    "lake get": lambda aws: lake(aws).get(SOURCE, date(2026, 11, 23), 0),
    "table put": lambda aws: DynamoTable(aws.item_puts, "t", ("k",)).put([Newest(("k",), Order(0, 0, 0), None)] * 40),
    "dead letters": lambda aws: S3DeadLetters(aws.object_puts, "bucket").store([LETTER] * 40),
    "claims": lambda aws: claims(aws).all(),
    "claim put": lambda aws: claims(aws).put(CLAIM, None),
    "claim remove": lambda aws: claims(aws).remove(CLAIM),
    "archive": lambda aws: list(archive(aws).entries()),
    "archive of a record": lambda aws: archive(aws).entries_of(PLACE),
    "archive read": lambda aws: archive(aws).read(LetterEntry("p/key", "failed", "2026-11-23", PLACE, NOW)),
    "lake listing": lambda aws: S3LakeListing(aws.s3, "bucket").offsets(SOURCE, date(2026, 11, 23), 0, 1),
    "resume": lambda aws: repair(aws).resume(SOURCE, STOP, STOPPED),
    "fence": lambda aws: repair(aws).fence(SOURCE, STOP),
    "retract": lambda aws: repair(aws).retract(SOURCE, STOPPED, [Count("c", "", 0, 1)]),
    "rewind": lambda aws: repair(aws).rewind(SOURCE, STOPPED, 0, [Gap(0, 1)]),
    "quarantine read": lambda aws: quarantine(aws).read(SOURCE, date(2026, 11, 23), 0),
    "quarantine copies": lambda aws: quarantine(aws).copies(SOURCE, date(2026, 11, 23), 0),
    "quarantine copy": lambda aws: quarantine(aws).copy(SOURCE, date(2026, 11, 23), 0, b""),
    "quarantine delete": lambda aws: quarantine(aws).delete(SOURCE, date(2026, 11, 23), 0, "tag"),
    "discarded batches": lambda aws: list(S3DiscardedBatches(aws.s3, "bucket").keys()),
    "discarded batch": lambda aws: S3DiscardedBatches(aws.s3, "bucket").read("aws/lambda/x"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "kind"),
    [(client_error("SlowDown", 503), Unavailable), (client_error("AccessDenied", 403), Refused),
     (exceptions.ReadTimeoutError(**URL), Unavailable)],
)  # fmt: skip
def test_every_call_of_every_port_raises_an_error_of_tandem(
    aws: Aws, call: str, error: Exception, kind: type[Exception]
) -> None:
    for client in (aws.dynamodb, aws.s3):
        fails(client, error)
    with pytest.raises(kind, match=r"^(tables? |s3://bucket[/:])"):
        CALLS[call](aws)
