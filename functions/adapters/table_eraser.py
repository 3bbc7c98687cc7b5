"""Erasing items of a table (see table). By its partition key it is a query, by any other column a scan of the table."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from functions.adapters.attributes import attribute
from functions.adapters.aws_errors import calling, code
from functions.adapters.conditional import CONDITION_FAILED
from functions.core.erase_ports import TableItem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoTableEraser:
    """See erase_ports.TableEraser. `key` names the fields of the partition key, and of the sort key if there is one."""

    dynamodb: "DynamoDBClient"
    table: str
    key: tuple[str, ...]

    def find(self, column: str, values: Collection[str | int]) -> list[TableItem]:
        """See erase_ports.TableEraser. Reads consistently."""
        if column != self.key[0]:
            matches = " OR ".join(f"#column = :value{number}" for number in range(len(values)))
            return list(self._items("scan", column, values, FilterExpression=matches))
        each = (self._items("query", column, [value], KeyConditionExpression="#column = :value0") for value in values)
        return [item for items in each for item in items]

    def remove(self, item: TableItem) -> bool:
        """See erase_ports.TableEraser. One request."""
        with calling(f"table {self.table}"):
            try:
                self.dynamodb.delete_item(
                    TableName=self.table,
                    Key={name: attribute(value) for name, value in item.key.items()},
                    ConditionExpression="attribute_not_exists(#order) OR #order = :order",
                    ExpressionAttributeNames={"#order": "_order"},
                    ExpressionAttributeValues={":order": {"S": item.order}},
                )
            except ClientError as error:
                if code(error) != CONDITION_FAILED:
                    raise
                return False
        return True

    def _items(
        self, operation: str, column: str, values: Collection[str | int], **condition: str
    ) -> Iterator[TableItem]:
        names = {f"#key{number}": name for number, name in enumerate(self.key)}
        with calling(f"table {self.table}"):
            pages = (
                cast("Any", self.dynamodb)
                .get_paginator(operation)
                .paginate(
                    TableName=self.table,
                    ConsistentRead=True,
                    ProjectionExpression=", ".join([*names, "#order"]),
                    ExpressionAttributeNames={"#column": column, "#order": "_order", **names},
                    ExpressionAttributeValues={
                        f":value{number}": attribute(value) for number, value in enumerate(values)
                    },
                    **condition,
                )
            )
            for page in pages:
                yield from map(self._item, page["Items"])

    def _item(self, item: Mapping[str, Any]) -> TableItem:
        key = {name: item[name]["S"] if "S" in item[name] else int(item[name]["N"]) for name in self.key}
        return TableItem(key, item.get("_order", {}).get("S", ""))
