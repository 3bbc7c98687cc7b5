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
    monkeypatch.setattr(objects, "WAIT", 0.0)
    return Objects(aws.s3, "bucket")


def test_a_key_that_is_taken_is_an_outcome(bucket: Objects) -> None:
    asked = fails(bucket.s3, TAKEN)
    assert bucket.put("k", b"x", "text/plain", {}) is False
    assert asked[0]["headers"]["If-None-Match"] == "*"


def test_while_another_put_is_under_way_it_asks_again(bucket: Objects) -> None:
    asked = fails(bucket.s3, BUSY, BUSY, TAKEN)
    assert bucket.put("k", b"x", "text/plain", {}) is False
    assert len(asked) == 3


def test_but_not_for_ever(bucket: Objects) -> None:
    asked = fails(bucket.s3, BUSY)
    with pytest.raises(Unavailable, match=r"s3://bucket/k: .*ConditionalRequestConflict"):
        bucket.put("k", b"x", "text/plain", {})
    assert len(asked) == 4


def test_an_object_that_is_not_there_is_none(bucket: Objects) -> None:
    fails(bucket.s3, client_error("NoSuchKey", 404))
    assert bucket.get("k") is None
