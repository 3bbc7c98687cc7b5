"""When a batch closes, and what it holds."""

from confluent_kafka import Message

from sandbox.event_source.backlog import ROOM, Backlog


def records(count: int, *, partition: int = 0, size: int = 10, start: int = 0) -> list[Message]:
    return [Message("t", partition, n, value=b"x" * size, timestamp=(1, 0)) for n in range(start, start + count)]


def offsets(taken: list[Message]) -> list[int | None]:
    return [record.offset() for record in taken]


def test_the_window_begins_with_the_first_record() -> None:
    backlog = Backlog(batch_size=100, window=0.5)
    assert not backlog.due(99.0)
    backlog.add(records(1), 10.0)
    backlog.add(records(1, start=1), 10.4)
    assert not backlog.due(10.4)
    assert backlog.due(10.5)
    assert offsets(backlog.take(10.5)) == [0, 1]
    assert not backlog.due(99.0)


def test_a_batch_closes_at_its_size_and_leaves_the_rest_in_order() -> None:
    backlog = Backlog(batch_size=3, window=300)
    backlog.add(records(7), 0.0)
    assert offsets(backlog.take(0.0)) == [0, 1, 2]
    assert backlog.due(0.0)
    assert offsets(backlog.take(0.0)) == [3, 4, 5]
    assert not backlog.due(299.0)
    assert backlog.due(300.0)


def test_a_batch_closes_before_six_megabytes_of_base64() -> None:
    backlog = Backlog(batch_size=10_000, window=300)
    backlog.add(records(5, size=1_500_000), 0.0)  # 2 MB each as base64
    assert backlog.due(0.0)
    assert offsets(backlog.take(0.0)) == [0, 1, 2][: ROOM // 2_000_300]


def test_a_record_above_the_limit_goes_alone() -> None:
    backlog = Backlog(batch_size=10, window=0)
    backlog.add(records(1) + records(1, size=5_000_000, start=1) + records(1, start=2), 0.0)
    assert [offsets(backlog.take(0.0)) for _ in range(3)] == [[0], [1], [2]]


def test_lost_partitions_are_forgotten() -> None:
    backlog = Backlog(batch_size=2, window=0)
    backlog.add(records(2) + records(1, partition=1), 0.0)
    backlog.drop({0})
    assert len(backlog) == 1
    assert [record.partition() for record in backlog.take(0.0)] == [1]


def test_it_is_full_at_eight_batches_or_four_payloads() -> None:
    by_count, by_size = Backlog(batch_size=2, window=0), Backlog(batch_size=1000, window=0)
    by_count.add(records(15), 0.0)
    by_size.add(records(12, size=1_500_000), 0.0)
    assert not by_count.full
    assert not by_size.full
    by_count.add(records(1, start=15), 0.0)
    by_size.add(records(1, start=12, size=1_500_000), 0.0)
    assert by_count.full
    assert by_size.full
