"""What S3 answers to an erasure, and what it means."""

import pytest

from functions.adapters.aws import Aws
from functions.adapters.object_versions import ObjectVersions
from functions.core.errors import Refused, Unavailable
from tests.unit.adapters.clients import client_error, fails


@pytest.fixture
def bucket(aws: Aws) -> ObjectVersions:
    return ObjectVersions(aws.s3, "bucket")


def replace(bucket: ObjectVersions) -> bool:
    return bucket.replace("k", "v1", '"etag"', b"x", "text/plain", {})


@pytest.mark.parametrize(("code", "status"), [("PreconditionFailed", 412), ("NoSuchKey", 404)])
def test_an_object_that_is_another_one_or_gone_is_not_replaced(bucket: ObjectVersions, code: str, status: int) -> None:
    calls = fails(bucket.s3, client_error(code, status))
    assert replace(bucket) is False
    assert calls[0]["headers"]["If-Match"] == '"etag"'
    assert len(calls) == 1, "no version is removed"


def test_during_another_put_it_is_unavailable(bucket: ObjectVersions) -> None:
    fails(bucket.s3, client_error("ConditionalRequestConflict", 409))
    with pytest.raises(Unavailable, match=r"s3://bucket/k: .*ConditionalRequestConflict"):
        replace(bucket)


@pytest.mark.parametrize("code", ["NoSuchVersion", "NoSuchKey"])
def test_a_version_that_is_gone_is_none_and_removed_already(bucket: ObjectVersions, code: str) -> None:
    fails(bucket.s3, client_error(code, 404))
    assert bucket.get("k", "v1") is None
    bucket.remove("k", "v1")


def test_without_permission_it_is_refused(bucket: ObjectVersions) -> None:
    fails(bucket.s3, client_error("AccessDenied", 403))
    for request in (replace, lambda b: b.get("k", "v1"), lambda b: b.remove("k", "v1"), lambda b: list(b.list("k"))):
        with pytest.raises(Refused, match="AccessDenied"):
            request(bucket)
