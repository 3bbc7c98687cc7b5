"""Counters on DynamoDB, sharded by partition.

Table: `counter` ("logins-per-minute?device_type=ios"), `bucket` ("2026-11-23T10:15:00Z#<topic>/<partition>") ->
`amount`, `sum_<field>` for each field that is summed, the group's fields in `by`, and `expires` (Unix seconds) if the
counter has `expire_after`. A shard for each partition,
because partitions settle in parallel and would otherwise conflict over one item. A reader queries a counter by its
buckets' prefix and sums the amounts.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from functions.core.effects import EPOCH, Count
from functions.core.ports import Source

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

FIRST_SECOND: Final = int(datetime.min.replace(tzinfo=UTC).timestamp())
SUM_PREFIX: Final = "sum_"
MAX_KEY_CHARACTERS: Final = 1024  # DynamoDB's partition keys hold up to 2048 bytes


def adds(
    table: str, source: Source, counts: Sequence[Count], lifetimes: Mapping[str, int] = MappingProxyType({})
) -> Iterator["TransactWriteItemTypeDef"]:
    """Yield a transaction's updates that add the counts of one partition.

    `lifetimes`: by counter, how many seconds after the start of its bucket a count expires.
    """
    shard = f"{source.topic}/{source.partition}"
    for count in counts:
        sums = [f"#sum{n} :sum{n}" for n in range(len(count.sums))]
        names = {f"#sum{n}": SUM_PREFIX + name for n, (name, _) in enumerate(count.sums)}
        values = {f":sum{n}": {"N": format(total, "f")} for n, (_, total) in enumerate(count.sums)}
        sets = "#by = :by"
        if (lifetime := lifetimes.get(count.counter)) is not None:
            sets += ", #expires = :expires"
            names["#expires"], values[":expires"] = "expires", {"N": str(count.bucket + lifetime)}
        yield {"Update": {
            "TableName": table,
            "Key": {"counter": {"S": counter(count)}, "bucket": {"S": f"{bucket_start(count.bucket)}#{shard}"}},
            "UpdateExpression": ", ".join(["ADD #amount :amount", *sums]) + f" SET {sets}",
            "ExpressionAttributeNames": {"#amount": "amount", "#by": "by"} | names,
            "ExpressionAttributeValues": {
                ":amount": {"N": str(count.amount)}, ":by": {"M": _fields(count.group)}, **values,
            },
        }}  # fmt: skip


def counter(count: Count) -> str:
    """Return the partition key of a count. A key too long for DynamoDB is cut and ends with the hash of all of it."""
    whole = f"{count.counter}?{count.group}" if count.group else count.counter
    if len(whole) <= MAX_KEY_CHARACTERS:
        return whole
    return f"{whole[:MAX_KEY_CHARACTERS]}#{blake2b(whole.encode(), digest_size=16).hexdigest()}"


def bucket_start(bucket: int) -> str:
    """Return the start of a bucket as ISO 8601 in UTC; that of the first bucket, before the year 1, as the year 1."""
    return (EPOCH + timedelta(seconds=max(bucket, FIRST_SECOND))).isoformat().replace("+00:00", "Z")


def _fields(group: str) -> dict[str, dict[str, str]]:
    """Return the fields as text, or none if they are long: DynamoDB's transactions hold up to 4 MB."""
    return (
        {name: {"S": value} for name, value in parse_qsl(group, keep_blank_values=True)}
        if len(group) <= MAX_KEY_CHARACTERS
        else {}
    )
