"""What arrives in a sink, as JSON values: the last entries first, then new ones, each time `new` is called.

Tables and counters have no order of arrival: their newest entries are those that changed since the last look.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, Protocol

from arro3.io import read_parquet
from boto3.dynamodb.types import TypeDeserializer
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from functions.adapters.aws_errors import calling
from functions.core.errors import Unavailable

WAIT_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 10.0


class Reading(Protocol):
    """Entries of a sink."""

    def last(self, count: int) -> list[dict[str, Any]]:
        """Return at most so many of the last entries, the newest one at the end."""

    def new(self) -> list[dict[str, Any]]:
        """Return what arrived since the last call; waits a moment for it."""


@dataclass
class TopicReading:
    """The messages of a topic."""

    connection: Mapping[str, Any]
    topic: str

    def __post_init__(self) -> None:
        self._consumer = Consumer({
            **self.connection, "group.id": "tandem-tail", "enable.auto.commit": False,
            "isolation.level": "read_committed",
        })  # fmt: skip

    def last(self, count: int) -> list[dict[str, Any]]:
        """See Reading."""
        metadata = self._consumer.list_topics(self.topic, timeout=ANSWER_SECONDS).topics[self.topic]
        if metadata.error is not None:
            raise Unavailable(f"topic {self.topic}: {metadata.error.str()}")
        begins, waiting = [], 0
        for number in metadata.partitions:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(self.topic, number), timeout=ANSWER_SECONDS)
            begin = max(low, high - count)
            waiting += high - begin
            begins.append(TopicPartition(self.topic, number, begin if begin > low else OFFSET_BEGINNING))
        self._consumer.assign(begins)
        found: list[Message] = []
        while waiting > len(found) and (more := self._consumer.consume(waiting, timeout=WAIT_SECONDS * 2)):
            found += [message for message in more if not message.error()]
        found.sort(key=lambda message: message.timestamp()[1])
        return [_message(each) for each in found[len(found) - min(count, len(found)) :]]

    def new(self) -> list[dict[str, Any]]:
        """See Reading."""
        messages = self._consumer.consume(1000, timeout=WAIT_SECONDS)
        return [_message(each) for each in messages if not each.error()]


def _message(message: Message) -> dict[str, Any]:
    value, key = message.value(), message.key()
    return {
        "partition": message.partition(), "offset": message.offset(), "key": None if key is None else text(key),
        "value": None if value is None else _parsed(value),
    }  # fmt: skip


@dataclass
class ObjectReading:
    """The content of objects below a prefix; `parse` returns an object's entries."""

    s3: Any
    bucket: str
    prefix: str
    parse: Callable[[bytes], list[dict[str, Any]]]
    _seen: set[str] = field(default_factory=set)

    def last(self, count: int) -> list[dict[str, Any]]:
        """See Reading. Reads objects from the newest one on, as many as hold so many entries."""
        listed = sorted(self._listed(), key=lambda each: each["LastModified"])
        self._seen = {each["Key"] for each in listed}
        found: list[dict[str, Any]] = []
        while listed and len(found) < count:
            found = self._read(listed.pop()["Key"]) + found
        return found[len(found) - min(count, len(found)) :]

    def new(self) -> list[dict[str, Any]]:
        """See Reading."""
        keys = [each["Key"] for each in self._listed() if each["Key"] not in self._seen]
        self._seen.update(keys)
        return [entry for key in keys for entry in self._read(key)]

    def _listed(self) -> Iterator[dict[str, Any]]:
        with calling(f"bucket {self.bucket}"):
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
                yield from page.get("Contents", ())

    def _read(self, key: str) -> list[dict[str, Any]]:
        with calling(f"bucket {self.bucket}"):
            return self.parse(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())


def lake_rows(content: bytes) -> list[dict[str, Any]]:
    """Return the rows of a lake object."""
    table = read_parquet(BytesIO(content)).read_all()
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def letter(content: bytes) -> list[dict[str, Any]]:
    """Return a dead letter."""
    return [json.loads(content)]


@dataclass
class TableReading:
    """The items of a DynamoDB table; `prefix` keeps those whose hash key begins with it."""

    dynamodb: Any
    table: str
    prefix: str = ""
    _seen: dict[str, str] = field(default_factory=dict)

    def last(self, count: int) -> list[dict[str, Any]]:
        """See Reading."""
        return self.new()[-count:]

    def new(self) -> list[dict[str, Any]]:
        """See Reading."""
        plain, changed = TypeDeserializer(), []
        with calling(f"table {self.table}"):
            described = self.dynamodb.describe_table(TableName=self.table)["Table"]
            keys = [each["AttributeName"] for each in described["KeySchema"]]
            for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True):
                for item in page["Items"]:
                    values = {name: plain.deserialize(value) for name, value in item.items()}
                    key, now = json.dumps([str(values[name]) for name in keys]), json.dumps(item, sort_keys=True)
                    if str(values[keys[0]]).startswith(self.prefix) and self._seen.get(key) != now:
                        self._seen[key] = now
                        changed.append(values)
        return changed


def text(content: bytes) -> str:
    """Return bytes as text, with replacements for what is not UTF-8."""
    return content.decode(errors="replace")


def _parsed(content: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(content)
    except ValueError:
        return text(content)
