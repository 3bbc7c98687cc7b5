import io
from datetime import date
from typing import Any

import pytest
from arro3.core import Array, DataType, RecordBatch
from arro3.io import write_parquet
from botocore.response import StreamingBody
from botocore.stub import Stubber

from functions.adapters.aws import Aws
from functions.adapters.lake import S3Lake, key
from functions.adapters.parquet import encode
from functions.core.errors import Corrupt, Unavailable
from functions.core.ports import Cover, Source
from functions.core.rows import Rows
from functions.core.schema import Schema

DAY = date(2026, 11, 3)
SOURCE = Source("logins", "user-login", 12)
KEY = "logins/day=2026-11-03/user-login-12-00000000000000000345.parquet"
EMPTY = encode(Schema(()), 12, Rows([], [], {}))
FOREIGN = io.BytesIO()
write_parquet(RecordBatch.from_arrays([Array([1], DataType.int64())], names=["a"]), FOREIGN)
METADATA = {"next": "345", "start": "346", "end": "350", "newest": "-1"}


def test_keys_derive_from_the_ledger_and_sort_by_offset() -> None:
    assert key(SOURCE, DAY, 345) == KEY
    assert key(SOURCE, DAY, 2**63 - 1) == "logins/day=2026-11-03/user-login-12-09223372036854775807.parquet"


def test_an_object_says_what_it_is_and_covers(aws: Aws) -> None:
    with Stubber(aws.s3) as stub:
        asked = {
            "Bucket": "lake", "Key": KEY, "Body": EMPTY, "ContentType": "application/vnd.apache.parquet",
            "Metadata": METADATA, "IfNoneMatch": "*",
        }  # fmt: skip
        stub.add_response("put_object", {}, asked)
        assert S3Lake(aws.s3, "lake", Schema(())).put(SOURCE, DAY, Cover(345, 346, 350, -1), Rows([], [], {}))


@pytest.mark.parametrize(
    ("metadata", "body", "why"),
    [
        ({}, EMPTY, "is not an object of this lake: KeyError"),
        (METADATA | {"end": "many"}, EMPTY, "is not an object of this lake: ValueError"),
        (METADATA | {"next": "344"}, EMPTY, "covers offsets from 344, not from 345"),
        (METADATA, b"no Parquet", "is not an object of this lake: ValueError"),
        (METADATA, FOREIGN.getvalue(), "is not an object of this lake: "),
    ],
)
def test_what_is_not_ours_is_corrupt(aws: Aws, metadata: dict[str, str], body: bytes, why: str) -> None:
    found: dict[str, Any] = {"Metadata": metadata, "Body": StreamingBody(io.BytesIO(body), len(body))}
    with Stubber(aws.s3) as stub:
        stub.add_response("get_object", found, {"Bucket": "lake", "Key": KEY})
        with pytest.raises(Corrupt, match=f"s3://lake/{KEY}: {why}"):
            S3Lake(aws.s3, "lake", Schema(())).get(SOURCE, DAY, 345)


def test_a_body_that_breaks_off_is_unavailable(aws: Aws) -> None:
    found: dict[str, Any] = {"Metadata": METADATA, "Body": StreamingBody(io.BytesIO(b"half"), 8)}
    with Stubber(aws.s3) as stub:
        stub.add_response("get_object", found, {"Bucket": "lake", "Key": KEY})
        with pytest.raises(Unavailable, match="IncompleteReadError"):
            S3Lake(aws.s3, "lake", Schema(())).get(SOURCE, DAY, 345)
