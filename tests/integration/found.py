"""What the stores of a stage hold, read by clients and readers of its own, whole and with doubles."""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from arro3.io import read_parquet
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka import Message as Delivered

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client

READER: Final = {"group.id": "reader", "enable.auto.commit": False}
Place = tuple[int, int]  # partition, offset


class Message(NamedTuple):
    """Of the output topic; `source` is the place that its header names."""

    source: Place
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Found:
    """Rows and letters by place, one entry each for every time that they are there."""

    rows: list[tuple[Place, dict[str, Any]]]
    letters: list[tuple[Place, dict[str, Any]]]
    counters: dict[tuple[str, str], int]  # sums over the partitions, by counter and bucket
    table: dict[str, dict[str, Any]]
    messages: list[Message]


def rows(s3: "S3Client", bucket: str) -> list[tuple[Place, dict[str, Any]]]:
    """Every row of every Parquet object."""
    files = (read_parquet(BytesIO(body)).read_all() for _, body in objects(s3, bucket))
    found = (row for file in files for row in file.to_struct_array().to_pylist())
    return [((row["_partition"], row["_offset"]), row) for row in found]


def letters(s3: "S3Client", bucket: str) -> list[tuple[Place, dict[str, Any]]]:
    """Every dead letter: where its key says that it is from, and what its body says."""
    found = []
    for key, body in objects(s3, bucket, "logins/"):
        _, reason, _, name = key.split("/")
        partition, offset = map(int, name.removesuffix(".json").rsplit("-", 2)[1:])
        told = json.loads(body)
        assert (told["partition"], told["offset"], f"reason={told['reason']}") == (partition, offset, reason)
        found.append(((partition, offset), told))
    return found


def objects(s3: "S3Client", bucket: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Keys and bodies."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"], s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()


def decoded(told: dict[str, str] | None) -> bytes | None:
    """A letter's key or value."""
    return None if told is None else b64decode(told["base64"])


def counters(table: "Table") -> dict[tuple[str, str], int]:
    """The sums over the partitions, which count each for itself."""
    sums: Counter[tuple[str, str]] = Counter()
    for item in items(table):
        sums[item["counter"], item["bucket"].partition("#")[0]] += int(item["amount"])
    return dict(sums)


def items(table: "Table") -> Iterator[dict[str, Any]]:
    """All of a table."""
    page = table.scan(ConsistentRead=True)
    assert "LastEvaluatedKey" not in page, "more than a page"
    yield from page["Items"]


def messages(bootstrap: str, topic: str, partitions: int, since: dict[int, int]) -> list[Message]:
    """The output topic from `since` on (by partition, 0 by default), as it stands."""
    missing = sum(end - since.get(partition, 0) for partition, end in ends(bootstrap, topic, partitions).items())
    consumer = Consumer(READER | {"bootstrap.servers": bootstrap})
    try:
        consumer.assign([TopicPartition(topic, number, since.get(number, 0)) for number in range(partitions)])
        found: list[Message] = []
        while len(found) < missing:
            read = consumer.consume(missing - len(found), 10)
            assert read, f"{len(found)} of {missing} messages came"
            found += map(_message, read)
        return found
    finally:
        consumer.close()


def _message(one: Delivered) -> Message:
    headers: dict[str, bytes] = dict(one.headers() or [])  # type: ignore[arg-type]
    partition, offset = map(int, headers["tandem-source"].decode().split("/")[1:])
    return Message((partition, offset), one.key(), one.value())


def ends(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    """The end of each partition."""
    consumer = Consumer(READER | {"bootstrap.servers": bootstrap})
    try:
        return {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1]
            for number in range(partitions)
        }
    finally:
        consumer.close()
