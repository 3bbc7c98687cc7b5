import pytest

from functions.adapters import objects
from functions.adapters.aws import Aws
from functions.adapters.objects import Objects
from functions.core.errors import Unavailable
from tests.unit.adapters.clients import client_error, fails

TAKEN = client_error("PreconditionFailed", 412)
BUSY = client_error("ConditionalRequestConflict", 409)


@pytest.fixture
def bucket(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Objects:
    monkeypatch.setattr(objects, "WAIT_SECONDS", 0.0)
    return Objects(aws.s3, "bucket")


def test_a_put_of_an_existing_key_returns_false(bucket: Objects) -> None:
    calls = fails(bucket.s3, TAKEN)
    assert bucket.put("k", b"x", "text/plain", {}) is False
    assert calls[0]["headers"]["If-None-Match"] == "*"


def test_during_another_put_it_retries(bucket: Objects) -> None:
    calls = fails(bucket.s3, BUSY, BUSY, TAKEN)
    assert bucket.put("k", b"x", "text/plain", {}) is False
    assert len(calls) == 3


def test_but_not_forever(bucket: Objects) -> None:
    calls = fails(bucket.s3, BUSY)
    with pytest.raises(Unavailable, match=r"s3://bucket/k: .*ConditionalRequestConflict"):
        bucket.put("k", b"x", "text/plain", {})
    assert len(calls) == 4


def test_a_missing_object_is_none(bucket: Objects) -> None:
    fails(bucket.s3, client_error("NoSuchKey", 404))
    assert bucket.get("k") is None
