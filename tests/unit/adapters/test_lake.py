import io
import socket
import struct
from contextlib import suppress
from dataclasses import replace
from datetime import date
from threading import Thread
from typing import Any

import pytest
from arro3.core import Array, DataType, RecordBatch
from arro3.io import read_parquet, write_parquet
from boto3 import Session
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.stub import Stubber
from pydantic import create_model

from functions.adapters.aws import Aws
from functions.adapters.lake import S3Lake, key
from functions.adapters.parquet import encode
from functions.core.errors import Corrupt, Unavailable
from functions.core.intent import Cover
from functions.core.ports import Source
from functions.core.schema import Schema, schema_of
from tests.intents import intent_with

DAY = date(2026, 11, 3)
SOURCE = Source("logins", "user-login", 12)
KEY = "logins/day=2026-11-03/user-login-12-00000000000000000345.parquet"
INTENT = intent_with(Schema(()), cover=Cover(345, 346, 350, -1))
ENCODED = encode(INTENT, 12)
ONE = Array([1], DataType.int64())
FOREIGN = io.BytesIO()
write_parquet(RecordBatch.from_arrays([ONE], names=["a"]), FOREIGN)
METADATA = {"next": "345", "start": "346", "end": "350", "newest": "-1"}


def test_keys_derive_from_the_ledger_and_sort_by_offset() -> None:
    assert key(SOURCE, DAY, 345) == KEY
    assert key(SOURCE, DAY, 2**63 - 1) == "logins/day=2026-11-03/user-login-12-09223372036854775807.parquet"


def test_an_objects_metadata_holds_its_type_and_cover(aws: Aws) -> None:
    with Stubber(aws.s3) as stub:
        expected = {
            "Bucket": "lake", "Key": KEY, "Body": ENCODED, "ContentType": "application/vnd.apache.parquet",
            "Metadata": METADATA, "IfNoneMatch": "*",
        }  # fmt: skip
        stub.add_response("put_object", {}, expected)
        assert S3Lake(aws.s3, "lake").put(SOURCE, DAY, INTENT)


def body(schema_type: type, **columns: Array) -> bytes:
    """Return a file whose intent has a field `a` of a type, and whose columns are others."""
    intent = intent_with(schema_of(create_model("Row", a=(schema_type, ...))), cover=INTENT.cover)
    text = read_parquet(io.BytesIO(encode(intent, 12))).schema.metadata_str["tandem.intent"]
    file = io.BytesIO()
    batch = RecordBatch.from_pydict({**columns, "_offset": ONE, "_timestamp_ms": ONE})
    write_parquet(batch, file, key_value_metadata={"tandem.intent": text}, skip_arrow_metadata=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (
            encode(replace(INTENT, cover=Cover(344, 346, 350, -1)), 12),
            "expected an object that covers offsets from 345, got 344",
        ),
        (b"no Parquet", "not a Parquet file, or only a part of one"),
        (ENCODED[:-9], "not a Parquet file, or only a part of one"),
        (FOREIGN.getvalue(), "it has no intent: it was not written by this version of Tandem"),
        (body(int), "field 'a': the file has no such column"),
        (body(int, a=Array(["1"], DataType.utf8())), "field 'a': expected a column of type Int64, got Utf8"),
        (body(str, a=ONE), "field 'a': expected a column of type Utf8, got Int64"),
        (body(int).replace(b'"records"', b'"recordz"'), "it has no 'records'"),
        (body(int).replace(b'"version":2', b'"version":1'), "expected an intent of version 2, got 1"),
    ],
    ids=[
        "another offset",
        "text",
        "cut",
        "foreign",
        "no column",
        "text for a number",
        "a number for text",
        "no member",
        "version",
    ],
)
def test_a_foreign_object_is_corrupt_and_can_be_quarantined(aws: Aws, stored: bytes, why: str) -> None:
    response: dict[str, Any] = {"Metadata": METADATA, "Body": StreamingBody(io.BytesIO(stored), len(stored))}
    with Stubber(aws.s3) as stub:
        stub.add_response("get_object", response, {"Bucket": "lake", "Key": KEY})
        with pytest.raises(Corrupt, match=f"^s3://lake/{KEY}: {why}.*`tandem quarantine` sets the object aside$"):
            S3Lake(aws.s3, "lake").get(SOURCE, DAY, 345)


def test_a_body_that_breaks_off_is_unavailable(aws: Aws) -> None:
    response: dict[str, Any] = {"Metadata": METADATA, "Body": StreamingBody(io.BytesIO(b"half"), 8)}
    with Stubber(aws.s3) as stub:
        stub.add_response("get_object", response, {"Bucket": "lake", "Key": KEY})
        with pytest.raises(Unavailable, match="IncompleteReadError"):
            S3Lake(aws.s3, "lake").get(SOURCE, DAY, 345)


def _cut_off(listening: socket.socket, status: bytes) -> None:
    """Answer each request with the head of a response and a part of its body, then reset the connection."""
    with suppress(OSError):  # the socket is closed at the end
        while True:
            connection, _ = listening.accept()
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 %b\r\nContent-Length: 100\r\nContent-Type: application/xml\r\n\r\n<Error>" % status
            )
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close sends a reset
            connection.close()


@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found", b"412 Precondition Failed", b"503 Slow Down"])
def test_a_response_that_is_cut_off_is_unavailable_whatever_its_status(status: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=_cut_off, args=(listening, status), daemon=True)
        thread.start()
        client = Session().client(
            "s3", endpoint_url=f"http://127.0.0.1:{listening.getsockname()[1]}", region_name="us-east-1",
            aws_access_key_id="x", aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        with pytest.raises(Unavailable):
            S3Lake(client, "lake").get(SOURCE, DAY, 345)
