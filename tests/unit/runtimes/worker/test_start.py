"""Where a partition begins: the ledger decides, then the commit, then the pipeline; and the ledger keeps it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from functions.adapters.memory import MemoryLedger
from functions.core.errors import Flood, OffsetsWentBack, Unavailable
from functions.core.pipeline import Start
from functions.core.ports import DurableStop, Position, Source, StopReason
from functions.runtimes.worker.logs import Bounds, TopicState
from functions.runtimes.worker.start import Beginning
from tests.unit.core.clicks import pipeline
from tests.unit.runtimes.worker.consumers import kafka_error

SOURCE = Source("clicks", "click", 0)
NOW_MS = 1_767_225_600_000


class Log:
    """A partition's log, [0, 100) unless given, with the ledger and the brokers' description of its topic."""

    def __init__(self, low: int = 0, high: int = 100, start: Start = Start.EARLIEST) -> None:
        self.limits = Bounds(low, high)
        self.commit: int | Exception | None = None
        self.error: Exception | None = None
        self.ledger, self.start = MemoryLedger(), start
        self.topic = TopicState("the-id", frozenset({0}))
        self.asked_bounds: Any = lambda: None

    def describe(self) -> TopicState:
        return self.topic

    def bounds(self, partition: int) -> Bounds:
        assert partition == 0
        self.asked_bounds()
        if self.error:
            raise self.error
        return self.limits

    def committed(self, partition: int) -> int | None:
        assert partition == 0
        if isinstance(self.commit, Exception):
            raise self.commit
        return self.commit

    def offset(self) -> int:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        declared = pipeline(start=self.start)
        begin = Beginning(declared, self.ledger, self, lambda: now)
        return begin(TopicPartition("click", 0))

    def settled(self, next_offset: int, newest: int = 1000, **changes: Any) -> None:
        self.ledger.positions[SOURCE] = Position(next_offset, 0, None, newest, **changes)

    @property
    def position(self) -> Position:
        return self.ledger.positions[SOURCE]


def test_the_ledger_decides_and_its_last_record_is_read_again() -> None:
    log = Log()
    log.commit = 90
    log.settled(40)
    assert log.offset() == 39


def test_of_a_topic_with_the_ledgers_id_no_record_is_read_again() -> None:
    """Its timestamp may be from the future of the process that settled it, and look new."""
    log = Log()
    log.settled(40, topic_id="the-id")
    assert log.offset() == 40


def test_a_ledger_without_settled_records_starts_at_its_position() -> None:
    log = Log()
    log.settled(40, newest=-1)
    assert log.offset() == 40


def test_records_that_expired_unsettled_are_skipped() -> None:
    log = Log(low=60)
    log.settled(40)
    assert log.offset() == 60
    assert log.position.next == 40


def test_a_ledger_at_the_end_of_the_log_is_in_order() -> None:
    log = Log()
    log.settled(100)
    assert log.offset() == 99


@pytest.mark.parametrize(("committed", "begins"), [(0, 20), (20, 20), (50, 50), (100, 100)])
def test_without_a_ledger_the_commit_decides_within_the_log(committed: int, begins: int) -> None:
    log = Log(low=20)
    log.commit = committed
    assert log.offset() == begins
    assert log.position == Position(begins, 0, None, -1, topic_id="the-id")


@pytest.mark.parametrize(("start", "begins"), [(Start.EARLIEST, 20), (Start.LATEST, 100)])
def test_a_new_group_starts_at_the_pipelines_start_and_there_again_when_the_log_has_moved(
    start: Start, begins: int
) -> None:
    log = Log(low=20, start=start)
    assert log.offset() == begins
    log.limits = Bounds(20, 5000)
    assert log.offset() == begins
    log.limits = Bounds(4000, 5000)
    assert (log.offset(), log.position.next) == (4000, begins)  # what expired becomes a gap


def test_of_two_workers_that_begin_at_once_the_first_one_decides() -> None:
    log = Log(start=Start.LATEST)
    log.asked_bounds = lambda: log.ledger.begin(SOURCE, 70, None)
    assert log.offset() == 70


def test_a_ledger_ahead_of_the_log_is_a_durable_stop() -> None:
    log = Log()
    log.settled(101)
    message = "clicks: click-0: the offsets before 101 are settled, the log ends at 100. Was the topic recreated"
    with pytest.raises(OffsetsWentBack, match=message) as stopped:
        log.offset()
    assert log.position.stop == DurableStop(StopReason.OFFSETS_WENT_BACK, str(stopped.value), 101, 100, NOW_MS)
    log.limits = Bounds(0, 1000)
    with pytest.raises(OffsetsWentBack, match="until an operator resumes it"):
        log.offset()


def test_a_commit_ahead_of_the_log_is_a_durable_stop_too() -> None:
    log = Log()
    log.commit = 101
    for _ in range(2):
        with pytest.raises(OffsetsWentBack, match="the offsets before 101 are settled, the log ends at 100"):
            log.offset()
        log.limits = Bounds(0, 1000)


def test_another_topic_id_than_the_ledgers_is_a_durable_stop_however_long_the_log_is() -> None:
    log = Log()
    log.settled(40, topic_id="another-id")
    message = "the ledger is that of the topic with ID another-id, its ID is now the-id"
    with pytest.raises(OffsetsWentBack, match=message):
        log.offset()
    assert log.position.stop is not None
    assert log.position.topic_id == "another-id"


@pytest.mark.parametrize(
    ("low", "day", "command"), [(0, None, "rewind"), (40, None, "resume"), (40, date(2026, 1, 1), "rewind")]
)
def test_the_error_names_resume_only_where_nothing_of_the_other_topic_is_in_the_way(
    low: int, day: date | None, command: str
) -> None:
    log = Log(low)
    log.ledger.positions[SOURCE] = Position(40, 0, day, 1000, topic_id="another-id")
    with pytest.raises(OffsetsWentBack, match=f"Run `tandem {command}` to continue"):
        log.offset()


def test_the_id_is_recorded_where_the_ledger_has_none_and_not_compared_where_brokers_tell_none() -> None:
    log = Log()
    log.settled(40)
    log.offset()
    assert (log.position.topic_id, log.position.next) == ("the-id", 40)
    assert log.offset() == 40
    log.topic = replace(log.topic, id=None)
    assert log.offset() == 39


def test_a_stop_in_the_ledger_is_raised_before_any_broker_is_asked() -> None:
    log = Log()
    log.settled(40, stop=DurableStop(StopReason.FLOOD, "too many rejects", 40, 60, NOW_MS))
    log.error = kafka_error()
    with pytest.raises(Flood, match="too many rejects"):
        log.offset()


def test_a_partition_without_a_leader_is_not_asked_for_its_log() -> None:
    log = Log()
    log.topic = TopicState("the-id", frozenset({1, 2}))
    log.error = AssertionError("it would wait for the leader")
    with pytest.raises(Unavailable, match="clicks: click-0: the partition has no leader"):
        log.offset()
    log.topic, log.error = TopicState(), None
    assert log.offset() == 0


@pytest.mark.parametrize("request_", ["error", "commit"])
def test_brokers_that_do_not_answer_are_to_be_asked_again(request_: str) -> None:
    log = Log()
    setattr(log, request_, kafka_error())
    with pytest.raises(Unavailable, match="clicks: click-0: "):
        log.offset()
    assert log.ledger.positions == {}
