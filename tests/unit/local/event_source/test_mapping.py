"""What AWS would refuse is refused."""

from typing import Any

import pytest

from functions.local.event_source.function import Function
from functions.local.event_source.mapping import Mapping
from functions.local.event_source.source import EventSource


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"batch_size": 10_001}, {"window": 301}, {"timeout": 841}, {"concurrency": 0}]
)
def test_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
        Mapping("t", "g", "b:9092", Function("m.f"), **wrong)


def test_a_destination_needs_a_client() -> None:
    with pytest.raises(ValueError, match="S3 client"):
        EventSource(Mapping("t", "g", "b:9092", Function("m.f"), on_failure="bucket"))


def test_the_id_depends_on_group_and_topic_only() -> None:
    one, two = (Mapping("t", "g", bootstrap, Function("m.f")) for bootstrap in ("a:1", "b:2"))
    assert one.id == two.id
    assert one.id != Mapping("u", "g", "a:1", Function("m.f")).id


def test_a_function_inherits_no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    made = Function("m.f", {"AWS_REGION": "eu-west-1", "STAGE": "local"}).environ("127.0.0.1:1")
    assert "SECRET_OF_THE_SHELL" not in made
    assert (made["AWS_REGION"], made["STAGE"], made["_HANDLER"]) == ("eu-west-1", "local", "m.f")
