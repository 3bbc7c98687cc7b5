"""Reading how far settling has come: one query of the ledger's table."""

from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def settled(table: "Table", pipeline: str) -> dict[int, int]:
    """The next offset to settle by partition; partitions that nothing was settled of yet are left out."""
    items = table.query(KeyConditionExpression=Key("pipeline").eq(pipeline), ConsistentRead=True)["Items"]
    positions = ((str(item["partition"]).split("#"), item) for item in items)
    return {int(parts[1]): int(str(item["next"])) for parts, item in positions if len(parts) == 2}  # noqa: PLR2004 - more: a gap
