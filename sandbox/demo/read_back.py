"""Reading back what the stores hold, with clients and readers that the pipeline does not use."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from boto3.dynamodb.conditions import Key

from functions.core import names
from sandbox.demo.listen import Announcements
from sandbox.demo.parse import FIELDS, letter, parquet
from sandbox.demo.records import LoginRow, Place, StoreContents, StoredLetter
from sandbox.stage import LocalStage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client


def settled(table: "Table", pipeline: str) -> dict[int, int]:
    """Return the next offset to settle by partition, without partitions that have settled nothing yet."""
    items = table.query(KeyConditionExpression=Key("pipeline").eq(pipeline), ConsistentRead=True)["Items"]
    positions = ((str(item["partition"]).split("#"), item) for item in items)
    known = {int(parts[1]): int(str(item["next"])) for parts, item in positions if len(parts) == 2}  # noqa: PLR2004 - more: a gap
    return {partition: offset for partition, offset in known.items() if offset}  # an assignment alone writes 0


CONCURRENCY: Final = 4  # requests


def everything(
    stage: LocalStage, messages: list[tuple[Place, LoginRow]], announcements: Announcements
) -> StoreContents:
    """Return what a run has stored, given the messages of its output topic."""
    pipeline, (table,) = stage.pipeline.name, stage.pipeline.tables
    return StoreContents(
        rows=lake_rows(stage.s3, stage.lake, pipeline),
        letters=dead_letters(stage.s3, stage.dead_letters, pipeline),
        counters=counters(stage.dynamodb.Table(names.counters_table(stage.name))),
        table=table_rows(stage.dynamodb.Table(names.rows_table(stage.name, table.name))),
        messages=messages,
        announced=announcements.letters(),
    )


def lake_rows(s3: "S3Client", bucket: str, pipeline: str) -> list[tuple[Place, LoginRow]]:
    """Return every row of every Parquet object of a pipeline."""
    return [row for body in objects(s3, bucket, f"{pipeline}/", lambda _, body: body) for row in parquet(body)]


def dead_letters(s3: "S3Client", bucket: str, pipeline: str) -> list[StoredLetter]:
    """Return every dead letter of a pipeline."""
    return list(objects(s3, bucket, f"{pipeline}/", letter))


def objects(s3: "S3Client", bucket: str, prefix: str, read: Callable[[str, bytes], Any]) -> Iterable[Any]:
    """Yield what `read` makes of the key and the content of each object below a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    with ThreadPoolExecutor(CONCURRENCY) as threads:
        yield from threads.map(lambda key: read(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read()), keys)


def counters(table: "Table") -> dict[tuple[str, int], int]:
    """Return logins by device type and minute, summed over the partitions, which are counted separately."""
    sums: Counter[tuple[str, int]] = Counter()
    for item in _items(table):
        (device_type,) = parse_qs(item["counter"].partition("?")[2])["device_type"]
        minute = datetime.fromisoformat(item["bucket"].partition("#")[0])
        sums[device_type, int(minute.timestamp())] += int(item["amount"])
    return dict(sums)


def table_rows(table: "Table") -> dict[str, LoginRow]:
    """Return the last login by user."""
    return {item["user_id"]: _row(item) for item in _items(table)}


def _row(item: dict[str, Any]) -> LoginRow:
    values = {name: item[name] for name in FIELDS} | {name: int(item[name]) for name in FIELDS if "version" in name}
    return LoginRow(**values, at=int(datetime.fromisoformat(item["logged_in_at"]).timestamp()))


def _items(table: "Table") -> Iterator[dict[str, Any]]:
    more: dict[str, Any] = {}
    while True:
        page = table.scan(ConsistentRead=True, **more)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
