"""Writes to DynamoDB that take place only if a condition is met."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code, reasons

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

CONDITION_FAILED: Final = "ConditionalCheckFailedException"


def updated(dynamodb: "DynamoDBClient", update: "UpdateTypeDef") -> bool:
    """Update an item, with one request. False: the condition was not met."""
    with calling(f"table {update['TableName']}"):
        try:
            dynamodb.update_item(**update)
        except ClientError as error:
            if code(error) == CONDITION_FAILED:
                return False
            raise
    return True


def claimed(write: Callable[..., object], table: str, claim: Mapping[str, Any], **parameters: Any) -> bool:  # noqa: ANN401 - DynamoDB's own
    """Put or delete an item, with one request. False: the condition was not met.

    A condition that is not met because the item has the attributes of `claim` is botocore's retry of a write that
    worked: `claim` says who wrote it.
    """
    with calling(f"table {table}"):
        try:
            write(TableName=table, ReturnValuesOnConditionCheckFailure="ALL_OLD", **parameters)
        except ClientError as error:
            if code(error) != CONDITION_FAILED:
                raise
            stored = cast("dict[str, Any]", error.response).get("Item", {})
            return bool(claim.items() <= stored.items())
    return True


def transacted(dynamodb: "DynamoDBClient", tables: Sequence[str], writes: "Sequence[TransactWriteItemTypeDef]") -> bool:
    """Write to `tables` in one transaction. False: the condition of the first write was not met.

    botocore's retries carry the transaction's token, valid for ten minutes.
    """
    with calling(f"tables {' and '.join(tables)}"):
        try:
            dynamodb.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if reasons(error)[:1] == ["ConditionalCheckFailed"]:
                return False
            raise
    return True
