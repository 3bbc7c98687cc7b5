"""The ledger on DynamoDB: one request to open, one transaction to advance.

ledger_items and counters describe its two tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from functions.adapters import ledger_items as items
from functions.adapters.aws_errors import calling, code
from functions.adapters.conditional import CONDITION_FAILED, transacted, updated
from functions.adapters.counters import adds
from functions.adapters.ledger_items import Item
from functions.core.effects import Count
from functions.core.intent import Gap
from functions.core.ports import DurableStop, Opening, Position, Source, Suspect

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


@dataclass(frozen=True, slots=True)
class DynamoLedger:
    """See ports.Ledger. A transaction holds up to 100 items: the ledger's, a gap, and the counts.

    `lifetimes`: see counters.adds.
    """

    dynamodb: "DynamoDBClient"
    table: str
    counters: str
    counts_per_advance: int = 98
    lifetimes: Mapping[str, int] = field(default_factory=dict, kw_only=True)

    def read(self, source: Source) -> Position | None:
        """See ports.Ledger. One consistent read."""
        with calling(f"table {self.table}"):
            response = self.dynamodb.get_item(TableName=self.table, Key=items.key(source), ConsistentRead=True)
        return items.position(source, response["Item"]) if "Item" in response else None

    def begin(self, source: Source, offset: int, topic_id: str | None) -> Position:
        """See ports.Ledger. One request."""
        update, values = items.CREATE, items.creation(offset)
        if topic_id is not None:
            update += ", #topic_id = if_not_exists(#topic_id, :topic_id)"
            values |= {":topic_id": {"S": topic_id}}
        with calling(f"table {self.table}"):
            response = self.dynamodb.update_item(
                TableName=self.table,
                Key=items.key(source),
                UpdateExpression=update,
                ExpressionAttributeNames=items.names(update),
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        return items.position(source, response["Attributes"])

    def open(self, source: Source, first: int, last: int, opening: Opening) -> tuple[Position, str | None]:
        """See ports.Ledger. One request: its response holds the old item, whether or not the condition was met."""
        with calling(f"table {self.table}"):
            try:
                response = self.dynamodb.update_item(
                    TableName=self.table,
                    Key=items.key(source),
                    ConditionExpression=items.OPENABLE,
                    UpdateExpression=items.OPEN,
                    ExpressionAttributeNames=items.names(items.OPENABLE, items.OPEN),
                    ExpressionAttributeValues=items.opening_values(first, last, opening),
                    ReturnValues="ALL_OLD",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if code(error) != CONDITION_FAILED:
                    raise
                position = items.position(source, cast("dict[str, Any]", error.response)["Item"])
                return position, position.owner
        stored = response.get("Attributes")
        old = items.position(source, stored) if stored else Position(first, 0, None, -1)
        return old.opened(opening), old.owner

    def narrow(self, source: Source, position: Position, suspect: Suspect) -> bool:
        """See ports.Ledger. One request."""
        values = {
            ":next": {"N": str(position.next)},
            ":owner": {"S": str(position.owner)},
            ":suspect": items.suspect_attribute(suspect),
        }
        return self._update(source, "SET #suspect = :suspect", "#next = :next AND #owner = :owner", values)

    def release(self, source: Source, owner: str) -> None:
        """See ports.Ledger. One request."""
        self._update(source, "REMOVE #owner", "#owner = :owner", {":owner": {"S": owner}})

    def stop(self, source: Source, stop: DurableStop) -> None:
        """See ports.Ledger. One request."""
        condition = "attribute_exists(#next) AND attribute_not_exists(#stop)"
        self._update(source, "SET #stop = :stop", condition, {":stop": items.stop_attribute(stop)})

    def _update(self, source: Source, update: str, condition: str, values: dict[str, Any]) -> bool:
        return updated(self.dynamodb, items.conditional_update(self.table, source, update, condition, values))

    def advance(
        self, source: Source, position: Position, target: Position, counts: Sequence[Count], gap: Gap | None
    ) -> bool:
        """See ports.Ledger. One transaction."""
        writes: list[TransactWriteItemTypeDef] = [{"Update": items.move(self.table, source, position, target)}]
        writes += adds(self.counters, source, counts, self.lifetimes)
        if gap:
            writes.append({"Put": items.put_gap(self.table, source, gap)})
        return transacted(self.dynamodb, (self.table, self.counters), writes)

    def positions(self, pipeline: str, topic: str) -> dict[int, Position]:
        """Return the positions of a topic's partitions by their numbers. One consistent query."""
        stored = query(self.dynamodb, self.table, pipeline, f"{topic}#")
        numbered = ((items.number(topic, item), item) for item in stored)
        return {
            number: items.position(Source(pipeline, topic, number), item)
            for number, item in numbered
            if number is not None
        }  # fmt: skip

    def gaps(self, source: Source) -> list[Gap]:
        """Return the gaps of a partition, in order."""
        return list(map(items.gap, query(self.dynamodb, self.table, source.pipeline, items.gaps_prefix(source))))


def query(dynamodb: "DynamoDBClient", table: str, pipeline: str, prefix: str) -> Iterator[Item]:
    """Yield a pipeline's items whose `partition` starts with `prefix`, in its order, with consistent reads."""
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
