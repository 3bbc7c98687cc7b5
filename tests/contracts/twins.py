"""Access to the stores' content, which the ports do not offer."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from time import monotonic
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from functions.adapters.attributes import attribute
from functions.adapters.aws import Aws
from functions.adapters.letter_json import parse
from functions.adapters.memory import MemoryLedger, MemoryTable
from functions.core.dead_letter import DeadLetter
from functions.core.intent import Gap
from functions.core.ports import DeadLetters, Ledger, Source, TableStore, TopicWriter
from tests.unit.adapters.clients import client_error

Counted = Callable[[str], dict[tuple[str, int], int]]  # counter -> (group, bucket) -> amount, over all partitions
Mark = Callable[[str | int], object]  # key -> the row's `mark`, DELETED or ABSENT
DELETED, ABSENT = "deleted", "absent"
NUMBERS = count(1)


def fresh(name: str) -> str:
    """Return a name that no store contains."""
    return f"{name}-{next(NUMBERS)}"


@dataclass(frozen=True)
class Ledgers:
    ledger: Ledger
    counted: Counted
    gaps: Callable[[Source], Sequence[Gap]]
    accept: Callable[[Source, int], None]  # as an operator's verb does, which no settler does


@dataclass(frozen=True)
class Letters:
    store: DeadLetters
    stored: Callable[[str], Sequence[DeadLetter]]


@dataclass(frozen=True)
class Tables:
    table: TableStore
    mark: Mark


@dataclass(frozen=True)
class Topics:
    topic: TopicWriter
    sent: Callable[[int], Sequence[tuple[bytes | None, bytes | None, list[tuple[str, bytes | str | None]]]]]


def kafka_sent(
    bootstrap: str, name: str
) -> Callable[[int], Sequence[tuple[bytes | None, bytes | None, list[tuple[str, bytes | str | None]]]]]:
    """Return a function that reads a topic of four partitions until it has that many messages, and no longer."""

    def sent(number: int) -> list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | str | None]]]]:
        with closing(
            Consumer({"bootstrap.servers": bootstrap, "group.id": fresh("reader"), "log_level": 0})
        ) as consumer:
            consumer.assign([TopicPartition(name, partition, OFFSET_BEGINNING) for partition in range(4)])
            messages: list[Message] = []
            deadline = monotonic() + 10
            while len(messages) < number and monotonic() < deadline:
                messages += consumer.consume(100, 0.2)
            messages += consumer.consume(100, 0.2)
        return [(message.key(), message.value(), headers_of(message)) for message in messages]

    return sent


def headers_of(message: Message) -> list[tuple[str, bytes | str | None]]:
    headers = message.headers() or []
    assert isinstance(headers, list)
    return list(headers)


@contextmanager
def throttled(client: Any, concerned: Callable[[str], bool]) -> Iterator[None]:
    """Let a client's calls fail as DynamoDB and S3 do under load, if `concerned` by their URL and body."""

    def call(params: dict[str, Any], **_: object) -> None:
        if concerned(f"{params['url_path']} {params['body']!r}"):
            raise client_error("ThrottlingException")

    client.meta.events.register("before-call", call, unique_id="throttled")
    try:
        yield
    finally:
        client.meta.events.unregister("before-call", call, unique_id="throttled")


def memory_counted(ledger: MemoryLedger) -> Counted:
    return lambda name: {
        (group, bucket): amount for (counter, group, bucket), amount in ledger.counters.items() if counter == name
    }


def memory_accept(ledger: MemoryLedger) -> Callable[[Source, int], None]:
    def accept(source: Source, offset: int) -> None:
        ledger.positions[source] = replace(ledger.positions[source], accepted=offset)

    return accept


def aws_accept(aws: Aws, table: str) -> Callable[[Source, int], None]:
    def accept(source: Source, offset: int) -> None:
        aws.dynamodb.update_item(
            TableName=table,
            Key={"pipeline": {"S": source.pipeline}, "partition": {"S": f"{source.topic}#{source.partition}"}},
            UpdateExpression="SET accepted = :offset",
            ExpressionAttributeValues={":offset": {"N": str(offset)}},
        )

    return accept


def aws_counted(aws: Aws, table: str) -> Counted:
    def counted(name: str) -> dict[tuple[str, int], int]:
        amounts: dict[tuple[str, int], int] = defaultdict(int)
        for page in aws.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                counter, _, group = item["counter"]["S"].partition("?")
                if counter == name:
                    bucket = int(datetime.fromisoformat(item["bucket"]["S"].partition("#")[0]).timestamp())
                    amounts[group, bucket] += int(item["amount"]["N"])
        return dict(amounts)

    return counted


def aws_letters(aws: Aws, bucket: str) -> Callable[[str], Sequence[DeadLetter]]:
    def stored(name: str) -> list[DeadLetter]:
        keys = aws.s3.list_objects_v2(Bucket=bucket, Prefix=f"{name}/").get("Contents", [])
        return [parse(aws.s3.get_object(Bucket=bucket, Key=key["Key"])["Body"].read()) for key in keys]

    return stored


def memory_mark(table: MemoryTable) -> Mark:
    def mark(key: str | int) -> object:
        if (key,) not in table.rows:
            return ABSENT
        row = table.rows[key,].row
        return DELETED if row is None else row["mark"]

    return mark


def aws_mark(aws: Aws, table: str, key_name: str) -> Mark:
    def mark(key: str | int) -> object:
        item = aws.dynamodb.get_item(TableName=table, Key={key_name: attribute(key)}, ConsistentRead=True).get("Item")
        if item is None:
            return ABSENT
        return DELETED if "_deleted" in item else int(item["mark"]["N"])

    return mark
