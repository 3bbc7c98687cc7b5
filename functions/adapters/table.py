"""A newest-wins table on DynamoDB, one for each Table sink, its partition key named as the sink's key.

Items: the row's fields (see attributes), and `_order`, a text that sorts as core's Order does. A deleted row leaves its
key, `_order` and `_deleted`, so that no older row comes back.

One conditional put a row, many side by side. DynamoDB has nothing cheaper: batch writes take no conditions, a
transaction fails as a whole and costs double, and reading first saves nothing where most rows are newer.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from functions.adapters.attributes import attribute
from functions.adapters.aws import WRITERS
from functions.adapters.aws_errors import calling, code
from functions.adapters.parallel import for_each
from functions.core.effects import Newest, Order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ZERO: Final = 10**22  # beyond any 64-bit number of milliseconds in microseconds, so that no sum is negative


@dataclass(frozen=True, slots=True)
class DynamoTable:
    """See ports.Table. `key` names the field that is the table's partition key."""

    dynamodb: "DynamoDBClient"
    table: str
    key: str
    pool: Executor = field(default_factory=lambda: ThreadPoolExecutor(WRITERS, "table"))

    def put(self, rows: Sequence[Newest]) -> None:
        """One request a row. Unavailable may leave some written: putting again is right."""
        for_each(self.pool, self._put, rows)

    def _put(self, row: Newest) -> None:
        with calling(f"table {self.table}"):
            try:
                self.dynamodb.put_item(
                    TableName=self.table,
                    Item=self._item(row),
                    ConditionExpression="attribute_not_exists(#order) OR #order < :order",
                    ExpressionAttributeNames={"#order": "_order"},
                    ExpressionAttributeValues={":order": {"S": order(row.order)}},
                )
            except ClientError as error:
                if code(error) != "ConditionalCheckFailedException":
                    raise

    def _item(self, row: Newest) -> dict[str, Any]:
        own = {self.key: attribute(row.key), "_order": {"S": order(row.order)}}
        if row.row is None:
            return own | {"_deleted": {"BOOL": True}}
        return {name: attribute(value) for name, value in row.row.items()} | own


def order(of: Order) -> str:
    """Text of one width: DynamoDB compares it byte by byte, and so as core compares the numbers."""
    return f"{of.newest + ZERO:023d}-{of.offset:020d}-{of.partition:010d}"
