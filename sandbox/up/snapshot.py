"""Saving the emulator's stores to a file, and restoring them: moto keeps everything in memory.

Law: a snapshot is taken while nothing settles, so ledger, counters, tables and objects agree with each other. After a
kill the last snapshot is older than Kafka's log: so are the ledger's offsets, and the records after them settle again.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sandbox.stores import Client

SCHEMA: Final = """
CREATE TABLE items (name TEXT, item TEXT);
CREATE TABLE objects (bucket TEXT, name TEXT, metadata TEXT, body BLOB);
CREATE TABLE parameters (name TEXT, value TEXT);
"""


def save(client: Client, file: Path) -> None:
    """Write all tables' items, buckets' objects and parameters to a file, which is replaced when it is complete."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as database, database:
        database.executescript(SCHEMA)
        database.executemany("INSERT INTO items VALUES (?, ?)", _items(client("dynamodb")))
        database.executemany("INSERT INTO objects VALUES (?, ?, ?, ?)", _objects(client("s3")))
        database.executemany("INSERT INTO parameters VALUES (?, ?)", _parameters(client("ssm")))
    unfinished.rename(file)


def restore(client: Client, file: Path) -> None:
    """Put what was saved into the stores, which exist and are empty. Nothing if there is no file."""
    if not file.exists():
        return
    dynamodb, s3, ssm = client("dynamodb"), client("s3"), client("ssm")
    tables = set(dynamodb.list_tables()["TableNames"])
    buckets = {each["Name"] for each in s3.list_buckets()["Buckets"]}
    with closing(sqlite3.connect(file)) as database:
        for name, item in database.execute("SELECT * FROM items"):
            if name in tables:  # a sink that is not declared any more has none
                dynamodb.put_item(TableName=name, Item=json.loads(item))
        for bucket, name, metadata, body in database.execute("SELECT * FROM objects"):
            if bucket in buckets:
                s3.put_object(Bucket=bucket, Key=name, Body=body, **json.loads(metadata))
        for name, value in database.execute("SELECT * FROM parameters"):
            ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def _items(dynamodb: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any client of moto
    for name in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
            for item in page["Items"]:
                yield name, json.dumps(item)


def _objects(s3: Any) -> Iterator[tuple[str, str, str, bytes]]:  # noqa: ANN401 - any client of moto
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for each in page.get("Contents", ()):
                found = s3.get_object(Bucket=bucket["Name"], Key=each["Key"])
                metadata = {"Metadata": found.get("Metadata", {}), "ContentType": found.get("ContentType", "")}
                yield bucket["Name"], each["Key"], json.dumps(metadata), found["Body"].read()


def _parameters(ssm: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any client of moto
    for page in ssm.get_paginator("get_parameters_by_path").paginate(Path="/tandem", Recursive=True):
        for each in page["Parameters"]:
            yield each["Name"], each["Value"]
