"""Counters on DynamoDB, sharded by partition.

Table: `counter` ("logins-per-minute?device_type=ios"), `bucket` ("2026-11-23T10:15:00Z#<topic>/<partition>") ->
`amount`, and the group's fields in `by`. A shard for each partition, because partitions settle side by side and would
otherwise conflict over one item. A reader queries a counter by its buckets' prefix and adds the amounts up.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from functions.core.effects import EPOCH, Count
from functions.core.ports import Source

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

FIRST: Final = int(datetime.min.replace(tzinfo=UTC).timestamp())
LONGEST: Final = 1024  # DynamoDB takes 2048 bytes of partition key


def adds(table: str, source: Source, counts: Sequence[Count]) -> Iterator["TransactWriteItemTypeDef"]:
    """What a transaction takes to add the counts of one partition."""
    shard = f"{source.topic}/{source.partition}"
    for count in counts:
        yield {"Update": {
            "TableName": table,
            "Key": {"counter": {"S": counter(count)}, "bucket": {"S": f"{beginning(count.bucket)}#{shard}"}},
            "UpdateExpression": "ADD #amount :amount SET #by = :by",
            "ExpressionAttributeNames": {"#amount": "amount", "#by": "by"},
            "ExpressionAttributeValues": {":amount": {"N": str(count.amount)}, ":by": {"M": _by(count.group)}},
        }}  # fmt: skip


def counter(count: Count) -> str:
    """The partition key of a count; one that is too long for DynamoDB is cut and ends in the hash of the whole."""
    whole = f"{count.counter}?{count.group}" if count.group else count.counter
    if len(whole) <= LONGEST:
        return whole
    return f"{whole[:LONGEST]}#{blake2b(whole.encode(), digest_size=16).hexdigest()}"


def beginning(bucket: int) -> str:
    """A bucket's beginning in UTC. Only that of the very first bucket can lie before the year 1, and reads as 1."""
    return (EPOCH + timedelta(seconds=max(bucket, FIRST))).isoformat().replace("+00:00", "Z")


def _by(group: str) -> dict[str, dict[str, str]]:
    """The fields as text, if they fit: DynamoDB takes 4 MB a transaction."""
    return (
        {name: {"S": value} for name, value in parse_qsl(group, keep_blank_values=True)}
        if len(group) <= LONGEST
        else {}
    )
