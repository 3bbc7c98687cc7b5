"""Reading everything that a stage stored, duplicates included, with clients that the pipeline does not use."""

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

from tests.integration.waiting import PATIENCE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client

READER: Final = {"group.id": "reader", "enable.auto.commit": False}
Place = tuple[int, int]  # partition, offset


class OutputMessage(NamedTuple):
    """A message of the output topic; `source` is the place in its header."""

    source: Place
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class StageContents:
    """Rows and letters by place, with an entry for each copy."""

    rows: list[tuple[Place, dict[str, Any]]]
    letters: list[tuple[Place, dict[str, Any]]]
    counters: dict[tuple[str, str], int]  # sums over the partitions, by counter and bucket
    table: dict[str, dict[str, Any]]
    messages: list[OutputMessage]


def rows(s3: "S3Client", bucket: str) -> list[tuple[Place, dict[str, Any]]]:
    """Return every row of every Parquet object."""
    files = (read_parquet(BytesIO(body)).read_all() for _, body in objects(s3, bucket))
    found = (row for file in files for row in file.to_struct_array().to_pylist())
    return [((row["_partition"], row["_offset"]), row) for row in found]


def letters(s3: "S3Client", bucket: str) -> list[tuple[Place, dict[str, Any]]]:
    """Return every dead letter: the place in its key, and its body."""
    found = []
    for key, body in objects(s3, bucket, "logins/reason="):
        _, reason, _, name = key.split("/")
        partition, offset = map(int, name.removesuffix(".json").rsplit("-", 2)[1:])
        letter = json.loads(body)
        assert (letter["partition"], letter["offset"], f"reason={letter['reason']}") == (partition, offset, reason)
        found.append(((partition, offset), letter))
    return found


def objects(s3: "S3Client", bucket: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield keys and bodies."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"], s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()


def decoded(letter: dict[str, str] | None) -> bytes | None:
    """Decode a letter's key or value."""
    return None if letter is None else b64decode(letter["base64"])


def counters(table: "Table") -> dict[tuple[str, str], int]:
    """Return the sums over the partitions, which are counted separately."""
    sums: Counter[tuple[str, str]] = Counter()
    for item in items(table):
        sums[item["counter"], item["bucket"].partition("#")[0]] += int(item["amount"])
    return dict(sums)


def items(table: "Table") -> Iterator[dict[str, Any]]:
    """Yield all items of a table."""
    page = table.scan(ConsistentRead=True)
    assert "LastEvaluatedKey" not in page, "more than a page"
    yield from page["Items"]


def messages(bootstrap: str, topic: str, partitions: int, since: dict[int, int]) -> list[OutputMessage]:
    """Return the present messages of the output topic, from the offsets `since` on (by partition, 0 by default)."""
    missing = sum(end - since.get(partition, 0) for partition, end in ends(bootstrap, topic, partitions).items())
    consumer = Consumer(READER | {"bootstrap.servers": bootstrap})
    try:
        consumer.assign([TopicPartition(topic, number, since.get(number, 0)) for number in range(partitions)])
        found: list[OutputMessage] = []
        while len(found) < missing:
            read = consumer.consume(missing - len(found), PATIENCE)
            assert read, f"{len(found)} of {missing} messages came"
            found += map(_message, read)
        return found
    finally:
        consumer.close()


def _message(one: Delivered) -> OutputMessage:
    headers: dict[str, bytes] = dict(one.headers() or [])  # type: ignore[arg-type]
    _pipeline, _topic, partition, offset, _number = headers["tandem-source"].decode().split("/")
    return OutputMessage((int(partition), int(offset)), one.key(), one.value())


def ends(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    """Return the end of each partition."""
    consumer = Consumer(READER | {"bootstrap.servers": bootstrap})
    try:
        return {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=PATIENCE)[1]
            for number in range(partitions)
        }
    finally:
        consumer.close()
