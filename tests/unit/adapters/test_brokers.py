"""Operators' requests to brokers: what is asked again, and what is not."""

from concurrent.futures import Future

import pytest
from confluent_kafka import KafkaError, KafkaException

from functions.adapters import admin_answers
from functions.adapters.brokers import KafkaBrokers
from functions.core.errors import Refused, Unavailable


class Request:
    """Fails with each of `codes` in turn, then answers."""

    def __init__(self, *codes: int) -> None:
        self.failures = [KafkaException(KafkaError(code)) for code in codes]

    def __call__(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def brokers(timeout: float) -> KafkaBrokers:
    return KafkaBrokers(lambda: {"bootstrap.servers": "127.0.0.1:1"}, "group", timeout)


def test_a_request_is_asked_again_while_a_leader_or_a_coordinator_moves() -> None:
    request = Request(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.NOT_COORDINATOR)
    assert brokers(timeout=10)._answer(request) == "answer"


def test_a_leader_that_does_not_come_back_in_time_is_unavailable() -> None:
    request = Request(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.NOT_LEADER_FOR_PARTITION)
    with pytest.raises(Unavailable, match="do not answer"):
        brokers(timeout=0)._answer(request)


def test_a_request_that_can_never_succeed_is_asked_once() -> None:
    request = Request(KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(Refused, match="brokers"):
        brokers(timeout=10)._answer(request)
    assert len(request.failures) == 1


def test_an_answer_that_never_comes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_answers, "MARGIN", 0.01)
    with pytest.raises(KafkaException) as error:
        admin_answers.answer_of(Future(), 0.0)
    assert error.value.args[0].code() == KafkaError._TIMED_OUT
    given: Future[int] = Future()
    given.set_result(7)
    assert admin_answers.answer_of(given, 0.0) == 7
