"""Reading back what the stores hold, with clients and readers of its own."""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from arro3.core import DataType
from arro3.io import read_parquet

from functions.core import names
from functions.local.demo.announcements import Announcements
from functions.local.demo.found import Found, StoredLetter, letter_of
from functions.local.demo.record import Place, Row
from functions.local.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client

SIDE_BY_SIDE: Final = 4  # requests: the emulator answers one at a time
FIELDS: Final = Row._fields[:-1]


def everything(stage: Stage, messages: list[tuple[Place, Row]], announcements: Announcements) -> Found:
    """What a run has left in the stores, beside the messages of its output topic."""
    pipeline, (table,) = stage.pipeline.name, stage.pipeline.tables
    return Found(
        rows=lake_rows(stage.s3, stage.lake, pipeline),
        letters=dead_letters(stage.s3, stage.dead_letters, pipeline),
        counters=counters(stage.dynamodb.Table(names.counters_table(stage.name))),
        table=table_rows(stage.dynamodb.Table(names.rows_table(stage.name, table.name))),
        messages=messages,
        announced=announcements.letters(),
    )


def lake_rows(s3: "S3Client", bucket: str, pipeline: str) -> list[tuple[Place, Row]]:
    """Every row of every Parquet object of a pipeline."""
    return [row for body in _bodies(s3, bucket, f"{pipeline}/", lambda _, body: body) for row in parquet(body)]


def parquet(body: bytes) -> Iterator[tuple[Place, Row]]:
    """The rows of one object."""
    table = read_parquet(BytesIO(body)).read_all()
    columns = [table.column(name).to_pylist() for name in FIELDS]
    seconds = [at // 1_000_000 for at in table.column("logged_in_at").cast(DataType.int64()).to_pylist()]
    places = zip(table.column("_partition").to_pylist(), table.column("_offset").to_pylist(), strict=True)
    return zip(places, map(Row._make, zip(*columns, seconds, strict=True)), strict=True)


def dead_letters(s3: "S3Client", bucket: str, pipeline: str) -> list[StoredLetter]:
    """Every dead letter of a pipeline."""
    return list(_bodies(s3, bucket, f"{pipeline}/", letter))


def letter(key: str, body: bytes) -> StoredLetter:
    """The dead letter of one object."""
    place, reason = letter_of(key)
    told = json.loads(body)
    headers = tuple((name, None if value is None else b64decode(value)) for name, value in told["headers"])
    return StoredLetter(place, reason, _bytes(told["key"]), _bytes(told["value"]), headers)


def _bytes(told: dict[str, str] | None) -> bytes | None:
    return None if told is None else b64decode(told["base64"])


def _bodies(s3: "S3Client", bucket: str, prefix: str, read: Callable[[str, bytes], Any]) -> Iterable[Any]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        yield from threads.map(lambda key: read(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read()), keys)


def counters(table: "Table") -> dict[tuple[str, int], int]:
    """Logins by device type and minute: the sum over the partitions, which count each for itself."""
    sums: Counter[tuple[str, int]] = Counter()
    for item in _items(table):
        (device_type,) = parse_qs(item["counter"].partition("?")[2])["device_type"]
        minute = datetime.fromisoformat(item["bucket"].partition("#")[0])
        sums[device_type, int(minute.timestamp())] += int(item["amount"])
    return dict(sums)


def table_rows(table: "Table") -> dict[str, Row]:
    """The last login by user."""
    return {item["user_id"]: _row(item) for item in _items(table)}


def _row(item: dict[str, Any]) -> Row:
    values = {name: item[name] for name in FIELDS} | {name: int(item[name]) for name in FIELDS if "version" in name}
    return Row(**values, at=int(datetime.fromisoformat(item["logged_in_at"]).timestamp()))


def _items(table: "Table") -> Iterator[dict[str, Any]]:
    more: dict[str, Any] = {}
    while True:
        page = table.scan(ConsistentRead=True, **more)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
