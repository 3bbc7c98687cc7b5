from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from botocore import exceptions

from functions.adapters.aws import Aws
from functions.adapters.aws_errors import PASSING, calling
from functions.adapters.dead_letters import S3DeadLetters
from functions.adapters.lake import S3Lake
from functions.adapters.ledger import DynamoLedger
from functions.adapters.table import DynamoTable
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import Count, Newest, Order
from functions.core.errors import Fatal, Refused, Retry, Stop, Unavailable
from functions.core.ports import Cover, Gap, Position, Source
from functions.core.rows import Rows
from functions.core.schema import Schema
from tests.unit.adapters.clients import client_error, fails

URL = {"endpoint_url": "https://dynamodb"}


@pytest.mark.parametrize("code", sorted(PASSING))
def test_what_passes_by_itself_is_unavailable(code: str) -> None:
    with pytest.raises(Unavailable), calling("table t"):
        raise client_error(code)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_so_is_every_answer_of_these_kinds(status: int) -> None:
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
def test_what_gets_no_answer_is_unavailable(error: Exception) -> None:
    with pytest.raises(Unavailable, match=f"table t: {type(error).__name__}: ") as raised, calling("table t"):
        raise error
    assert isinstance(raised.value, Retry)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    ("code", "status"),
    [("AccessDeniedException", 400), ("AccessDenied", 403), ("ResourceNotFoundException", 400), ("NoSuchBucket", 404),
     ("ValidationException", 400), ("InvalidSignatureException", 403), ("UnrecognizedClientException", 400)],
)  # fmt: skip
def test_a_no_that_stays_is_refused_and_says_all(code: str, status: int) -> None:
    with pytest.raises(Refused) as raised, calling("table t"):
        raise client_error(code, status, "PutItem")
    assert isinstance(raised.value, Stop)
    assert str(raised.value) == f"table t: PutItem: {code}: because"


def test_a_request_that_was_frozen_in_mid_air_is_unavailable() -> None:
    error = client_error("InvalidSignatureException")
    error.response["Error"]["Message"] = "Signature expired"
    with pytest.raises(Unavailable), calling("table t"):
        raise exceptions.ClientError(error.response, "PutItem")


def test_our_own_mistakes_are_refused() -> None:
    with pytest.raises(Refused, match="ParamValidationError"), calling("table t"):
        raise exceptions.ParamValidationError(report="x")


def test_without_credentials_only_a_new_process_can_go_on() -> None:
    with pytest.raises(Fatal, match="Unable to locate credentials"), calling("table t"):
        raise exceptions.NoCredentialsError


def test_what_is_not_of_aws_is_left_alone() -> None:
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
def test_a_cancelled_transaction_is_what_its_reasons_are(aws: Aws, codes: list[str], kind: type[Exception]) -> None:
    found = [{"Code": code, "Message": f"about {code}"} if code != "None" else {"Code": code} for code in codes]
    fails(aws.dynamodb, client_error("TransactionCanceledException", CancellationReasons=found))
    why = next(code for code in codes if code != "None")
    with pytest.raises(kind, match=f"tables l and c: Call: TransactionCanceledException: because; {why}: about {why}$"):
        advance(aws)


@pytest.mark.parametrize(
    "codes", [["ConditionalCheckFailed", "None"], ["ConditionalCheckFailed", "TransactionConflict"]]
)
def test_a_transaction_whose_ledger_moved_on_is_an_outcome(aws: Aws, codes: list[str]) -> None:
    found = [{"Code": code} for code in codes]
    fails(aws.dynamodb, client_error("TransactionCanceledException", CancellationReasons=found))
    assert advance(aws) is False


SOURCE = Source("p", "t", 0)
LETTER = DeadLetter("p", "t", 0, 1, 2, None, None, [], Reason.FAILED, "", "")


def ledger(aws: Aws) -> DynamoLedger:
    return DynamoLedger(aws.dynamodb, "l", "c")


def lake(aws: Aws) -> S3Lake:
    return S3Lake(aws.s3, "bucket", Schema(()))


def advance(aws: Aws) -> bool:
    at = Position(0, 0, None, -1)
    return ledger(aws).advance(SOURCE, at, at, [Count("c", "", 0, 1)], Gap(0, 1))


CALLS: dict[str, Callable[[Aws], Any]] = {
    "read": lambda aws: ledger(aws).read(SOURCE),
    "open": lambda aws: ledger(aws).open(SOURCE, 0, 1, date(2026, 11, 23)),
    "advance": advance,
    "positions": lambda aws: ledger(aws).positions("p", "t"),
    "gaps": lambda aws: ledger(aws).gaps(SOURCE),
    "lake put": lambda aws: lake(aws).put(SOURCE, date(2026, 11, 23), Cover(0, 0, 0, 0), Rows([], [], {})),
    "lake get": lambda aws: lake(aws).get(SOURCE, date(2026, 11, 23), 0),
    "table put": lambda aws: DynamoTable(aws.dynamodb, "t", "k", aws.pool).put(
        [Newest("k", Order(0, 0, 0), None)] * 40
    ),
    "dead letters": lambda aws: S3DeadLetters(aws.s3, "bucket", aws.pool).store([LETTER] * 40),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "kind"),
    [(client_error("SlowDown", 503), Unavailable), (client_error("AccessDenied", 403), Refused),
     (exceptions.ReadTimeoutError(**URL), Unavailable)],
)  # fmt: skip
def test_every_call_of_every_port_says_what_to_do(aws: Aws, call: str, error: Exception, kind: type[Exception]) -> None:
    for client in (aws.dynamodb, aws.s3):
        fails(client, error)
    with pytest.raises(kind, match=r"^(tables? |s3://bucket/p/)"):
        CALLS[call](aws)
