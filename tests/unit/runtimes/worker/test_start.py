"""Where a partition is read from: the ledger decides, then the commit, then the pipeline."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from functions.core.errors import OffsetsWentBack
from functions.core.pipeline import Start
from functions.core.ports import Position
from functions.runtimes.worker import start
from tests.unit.runtimes.worker.consumers import FakeConsumer

AT = TopicPartition("click", 0)


def offset(consumer: Any, position: Position | None = None, otherwise: Start = Start.EARLIEST) -> int:
    return start.offset(consumer, AT, position, otherwise)


def at(next_offset: int, newest: int = 1000) -> Position:
    return Position(next_offset, 0, None, newest)


def test_the_ledger_decides_and_its_last_record_is_read_again() -> None:
    consumer = FakeConsumer(p0=(0, 100))
    consumer.commits[0] = 90
    assert offset(consumer, at(40)) == 39


def test_a_ledger_that_has_settled_no_record_starts_where_it_stands() -> None:
    assert offset(FakeConsumer(p0=(0, 100)), at(40, newest=-1)) == 40


def test_what_has_expired_unsettled_is_passed_over() -> None:
    assert offset(FakeConsumer(p0=(60, 100)), at(40)) == 60


def test_a_ledger_at_the_end_of_the_log_is_in_order() -> None:
    assert offset(FakeConsumer(p0=(0, 100)), at(100)) == 99


def test_a_ledger_ahead_of_the_log_stops_loudly() -> None:
    told = "click-0: the ledger has settled offsets before 101, the log ends at 100. Was the topic recreated"
    with pytest.raises(OffsetsWentBack, match=told):
        offset(FakeConsumer(p0=(0, 100)), at(101))


@pytest.mark.parametrize(("committed", "begins"), [(0, 20), (20, 20), (50, 50), (100, 100)])
def test_without_a_ledger_the_commit_decides_within_the_log(committed: int, begins: int) -> None:
    consumer = FakeConsumer(p0=(20, 100))
    consumer.commits[0] = committed
    assert offset(consumer) == begins


def test_a_commit_ahead_of_the_log_is_not_taken_for_its_end() -> None:
    consumer = FakeConsumer(p0=(0, 100))
    consumer.commits[0] = 101
    with pytest.raises(OffsetsWentBack, match="the group has committed 101, the log ends at 100"):
        offset(consumer)


@pytest.mark.parametrize(("otherwise", "begins"), [(Start.EARLIEST, 20), (Start.LATEST, 100)])
def test_a_new_group_begins_where_the_pipeline_says(otherwise: Start, begins: int) -> None:
    assert offset(FakeConsumer(p0=(20, 100)), None, otherwise) == begins


def test_a_commit_that_cannot_be_read_is_not_taken_for_none() -> None:
    consumer = FakeConsumer(p0=(20, 100))
    consumer.commit_error = KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT)
    with pytest.raises(KafkaException, match="UNSTABLE_OFFSET_COMMIT"):
        offset(consumer)
