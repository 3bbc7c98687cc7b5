"""What AWS would refuse is refused."""

from typing import Any

import pytest

from sandbox.event_source.function import LambdaFunction
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.source import EventSource


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"batch_size": 10_001}, {"window": 301}, {"timeout": 841}, {"concurrency": 0}]
)
def test_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
        EventSourceMapping("t", "g", "b:9092", LambdaFunction("m.f"), **wrong)


def test_a_destination_needs_a_client() -> None:
    with pytest.raises(ValueError, match="S3 client"):
        EventSource(EventSourceMapping("t", "g", "b:9092", LambdaFunction("m.f"), on_failure="bucket"))


def test_the_id_depends_on_group_and_topic_only() -> None:
    one, two = (EventSourceMapping("t", "g", bootstrap, LambdaFunction("m.f")) for bootstrap in ("a:1", "b:2"))
    assert one.id == two.id
    assert one.id != EventSourceMapping("u", "g", "a:1", LambdaFunction("m.f")).id


def test_a_function_inherits_no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    variables = LambdaFunction("m.f", {"AWS_REGION": "eu-west-1", "STAGE": "local"}).environ("127.0.0.1:1")
    assert "SECRET_OF_THE_SHELL" not in variables
    assert (variables["AWS_REGION"], variables["STAGE"], variables["_HANDLER"]) == ("eu-west-1", "local", "m.f")
