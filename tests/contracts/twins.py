"""Ways to look into the stores, which the ports themselves do not have."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from functions.adapters.attributes import attribute
from functions.adapters.aws import Aws
from functions.adapters.letter_json import parse
from functions.adapters.memory import MemoryLedger, MemoryTable
from functions.core.dead_letter import DeadLetter
from functions.core.ports import DeadLetters, Gap, Ledger, Source, Table

Counted = Callable[[str], dict[tuple[str, int], int]]  # counter -> (group, bucket) -> amount, over all partitions
Mark = Callable[[str | int], object]  # key -> the row's `mark`, DELETED or ABSENT
DELETED, ABSENT = "deleted", "absent"
NUMBERS = count(1)


def fresh(name: str) -> str:
    """A name that nothing in any store has."""
    return f"{name}-{next(NUMBERS)}"


@dataclass(frozen=True)
class Ledgers:
    ledger: Ledger
    counted: Counted
    gaps: Callable[[Source], Sequence[Gap]]


@dataclass(frozen=True)
class Letters:
    store: DeadLetters
    stored: Callable[[str], Sequence[DeadLetter]]


@dataclass(frozen=True)
class Tables:
    table: Table
    mark: Mark


def memory_counted(ledger: MemoryLedger) -> Counted:
    return lambda name: {
        (group, bucket): amount for (counter, group, bucket), amount in ledger.counters.items() if counter == name
    }


def aws_counted(aws: Aws, table: str) -> Counted:
    def counted(name: str) -> dict[tuple[str, int], int]:
        found: dict[tuple[str, int], int] = defaultdict(int)
        for page in aws.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                counter, _, group = item["counter"]["S"].partition("?")
                if counter == name:
                    bucket = int(datetime.fromisoformat(item["bucket"]["S"].partition("#")[0]).timestamp())
                    found[group, bucket] += int(item["amount"]["N"])
        return dict(found)

    return counted


def aws_letters(aws: Aws, bucket: str) -> Callable[[str], Sequence[DeadLetter]]:
    def stored(name: str) -> list[DeadLetter]:
        keys = aws.s3.list_objects_v2(Bucket=bucket, Prefix=f"{name}/").get("Contents", [])
        return [parse(aws.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()) for each in keys]

    return stored


def memory_mark(table: MemoryTable) -> Mark:
    def mark(key: str | int) -> object:
        if key not in table.rows:
            return ABSENT
        row = table.rows[key].row
        return DELETED if row is None else row["mark"]

    return mark


def aws_mark(aws: Aws, table: str, key_name: str) -> Mark:
    def mark(key: str | int) -> object:
        item = aws.dynamodb.get_item(TableName=table, Key={key_name: attribute(key)}, ConsistentRead=True).get("Item")
        if item is None:
            return ABSENT
        return DELETED if "_deleted" in item else int(item["mark"]["N"])

    return mark
