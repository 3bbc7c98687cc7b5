"""A newest-wins table on DynamoDB, one per Table sink. Its partition key has the name of the sink's key.

Items: the row's fields (see attributes), and `_order`, a text that sorts like core's Order. A deleted row leaves its
key, `_order` and `_deleted`, so that no older row reappears. `_expires`, in Unix seconds, is DynamoDB's TTL attribute.

Rows are written by conditional puts, many of them in flight. DynamoDB offers nothing cheaper: batch writes allow no
conditions, a transaction fails as a whole and costs double, statements replace no whole items, and a read before saves
nothing if most rows are newer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from functions.adapters.attributes import attribute
from functions.adapters.aws_errors import calling, code, message
from functions.adapters.conditional import CONDITION_FAILED
from functions.adapters.direct_calls import Calls
from functions.adapters.parallel import in_flight
from functions.core.effects import Newest, Order
from functions.core.ports import Refusal

ROW_ERRORS: Final = ("ValidationException", "ItemCollectionSizeLimitExceededException")
KEY_SCHEMA_MESSAGES: Final = ("does not match the schema", "Missing the key", "Type mismatch for key")
WRITERS: Final = 16  # puts in flight for one slice
ORDER_OFFSET: Final = 10**22  # exceeds 64-bit milliseconds as microseconds, so that no sum is negative


@dataclass(frozen=True, slots=True)
class DynamoTable:
    """See ports.TableStore. `key` names the fields of the partition key, and of the sort key if there is one."""

    puts: Calls
    table: str
    key: tuple[str, ...]

    def put(self, candidates: Sequence[Newest]) -> Sequence[Refusal]:
        """See ports.TableStore. One request per row."""
        details = in_flight(WRITERS, self._begin, candidates)
        return [Refusal(index, detail) for index, detail in enumerate(details) if detail is not None]

    def _begin(self, row: Newest) -> Callable[[], str | None]:
        answer = self.puts.begin(
            TableName=self.table,
            Item=self._item(row),
            ConditionExpression="attribute_not_exists(#order) OR #order < :order",
            ExpressionAttributeNames={"#order": "_order"},
            ExpressionAttributeValues={":order": {"S": order_text(row.order)}},
        )
        return partial(self._end, answer)

    def _end(self, answer: Callable[[], object]) -> str | None:
        """Return why DynamoDB will never take this row; None if it did, or has a newer one."""
        with calling(f"table {self.table}"):
            try:
                answer()
            except ClientError as error:
                if code(error) == CONDITION_FAILED:
                    return None
                if _concerns_the_row(error):
                    return message(error)
                raise
        return None

    def _item(self, row: Newest) -> dict[str, Any]:
        own = {name: attribute(value) for name, value in zip(self.key, row.key, strict=True)}
        own["_order"] = {"S": order_text(row.order)}
        if row.expires is not None:
            own["_expires"] = {"N": str(row.expires)}
        if row.row is None:
            return own | {"_deleted": {"BOOL": True}}
        return {name: attribute(value) for name, value in row.row.items()} | own


def _concerns_the_row(error: ClientError) -> bool:
    """Whether only this row is refused, and not every row of the table."""
    if code(error) not in ROW_ERRORS:
        return False
    return not any(text in message(error) for text in KEY_SCHEMA_MESSAGES)


def order_text(order: Order) -> str:
    """Return text of fixed width, so that DynamoDB's comparison of bytes equals core's comparison of numbers."""
    coordinates = f"{order.offset:020d}-{order.partition:010d}-{order.number:06d}"
    return f"{order.newest + ORDER_OFFSET:023d}-{coordinates}"
