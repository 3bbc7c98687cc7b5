"""Messages become columns, a run of one partition at a time."""

from confluent_kafka import Message

from functions.runtimes.worker.records import HEADER_OVERHEAD_BYTES, OVERHEAD_BYTES, runs


def message(
    partition: int, offset: int, value: bytes | None = b"v", key: bytes | None = b"k", topic: str = "t"
) -> Message:
    return Message(topic, partition, offset, key, value, timestamp=(1, 1000 + offset))


def test_records_are_split_by_partition() -> None:
    read = [message(0, 1), message(0, 2), message(3, 9), message(0, 3)]
    assert [(run.partition, run.offsets) for run in runs(read)] == [(0, [1, 2]), (3, [9]), (0, [3])]


def test_records_of_another_topic_are_a_run_of_their_own() -> None:
    read = [message(0, 1), message(0, 2, topic="u"), message(1, 9, topic="u")]
    assert [(run.topic, run.partition, run.offsets) for run in runs(read)] == [
        ("t", 0, [1]),
        ("u", 0, [2]),
        ("u", 1, [9]),
    ]


def test_a_run_is_columns() -> None:
    headers: list[tuple[str, str | bytes | None]] = [("h", b"\xff"), ("n", None)]
    last = Message("t", 0, 2, None, None, headers, timestamp=(1, 7))
    (run,) = runs([message(0, 1, b"value"), last])
    assert (run.keys, run.values, run.timestamps) == ([b"k", None], [b"value", None], [1001, 7])
    assert run.headers == [(), [("h", b"\xff"), ("n", None)]]


def test_its_size_counts_bytes_and_objects() -> None:
    (run,) = runs([message(0, 1, b"12345", b"123"), message(0, 2, None, None)])
    assert run.size == 8 + 2 * OVERHEAD_BYTES


def test_its_size_counts_headers() -> None:
    (run,) = runs([Message("t", 0, 1, None, None, [("name", b"12"), ("n", None)], timestamp=(1, 7))])
    assert run.size == OVERHEAD_BYTES + 7 + 2 * HEADER_OVERHEAD_BYTES


def test_nothing_read_is_no_run() -> None:
    assert list(runs([])) == []
