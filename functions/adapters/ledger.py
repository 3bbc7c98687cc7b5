"""The ledger on DynamoDB: one request to open, one transaction to advance. Its tables: ledger_items, counters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from functions.adapters import ledger_items as items
from functions.adapters.aws_errors import calling, code, reasons
from functions.adapters.counters import adds
from functions.adapters.ledger_items import Item
from functions.core.effects import Count
from functions.core.ports import Gap, Position, Source

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


@dataclass(frozen=True, slots=True)
class DynamoLedger:
    """See ports.Ledger. A transaction takes 100 items: the ledger's, a gap, and the counts."""

    dynamodb: "DynamoDBClient"
    table: str
    counters: str
    counts_per_advance: int = 98

    def read(self, source: Source) -> Position | None:
        """One consistent read."""
        with calling(f"table {self.table}"):
            found = self.dynamodb.get_item(TableName=self.table, Key=items.key(source), ConsistentRead=True)
        return items.position(source, found["Item"]) if "Item" in found else None

    def open(self, source: Source, first: int, last: int, today: date) -> Position:
        """One request: where the condition does not hold, the answer says what is there."""
        with calling(f"table {self.table}"):
            return items.position(source, self._open(source, items.opening(first, last, today)))

    def _open(self, source: Source, values: dict[str, dict[str, str]]) -> Item:
        try:
            return self.dynamodb.update_item(
                TableName=self.table,
                Key=items.key(source),
                ConditionExpression=items.OPENABLE,
                UpdateExpression=items.OPEN,
                ExpressionAttributeNames=items.NAMES,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )["Attributes"]
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                return cast("dict[str, Any]", error.response)["Item"]  # type: ignore[no-any-return]
            raise

    def advance(self, source: Source, at: Position, to: Position, counts: Sequence[Count], gap: Gap | None) -> bool:
        """One transaction. botocore's own retries carry one token, so that DynamoDB makes it once, for ten minutes."""
        writes: list[TransactWriteItemTypeDef] = [{"Update": items.move(self.table, source, at, to)}]
        writes += adds(self.counters, source, counts)
        if gap:
            writes.append({"Put": items.put_gap(self.table, source, gap)})
        with calling(f"tables {self.table} and {self.counters}"):
            try:
                self.dynamodb.transact_write_items(TransactItems=writes)
            except ClientError as error:
                if reasons(error)[:1] == ["ConditionalCheckFailed"]:
                    return False
                raise
        return True

    def positions(self, pipeline: str, topic: str) -> dict[int, Position]:
        """Where each partition of a topic stands, by its number: one consistent query."""
        found = ((items.number(topic, item), item) for item in query(self.dynamodb, self.table, pipeline, f"{topic}#"))
        return {
            number: items.position(Source(pipeline, topic, number), item)
            for number, item in found
            if number is not None
        }  # fmt: skip

    def gaps(self, source: Source) -> list[Gap]:
        """What settling passed without its records, in order."""
        return list(map(items.gap, query(self.dynamodb, self.table, source.pipeline, items.gaps_prefix(source))))


def query(dynamodb: "DynamoDBClient", table: str, pipeline: str, prefix: str) -> Iterator[Item]:
    """A pipeline's items whose `partition` begins so, in its order, read consistently."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="#pipeline = :pipeline AND begins_with(#partition, :prefix)",
        ExpressionAttributeNames={"#pipeline": "pipeline", "#partition": "partition"},
        ExpressionAttributeValues={":pipeline": {"S": pipeline}, ":prefix": {"S": prefix}},
    )
    with calling(f"table {table}"):
        for page in pages:
            yield from page["Items"]
