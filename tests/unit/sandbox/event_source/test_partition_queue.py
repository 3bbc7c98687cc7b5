"""What a partition queue discards when partitions are lost, before any thread runs."""

from pathlib import Path
from queue import SimpleQueue
from threading import Event

from confluent_kafka import Message

from sandbox.event_source.backlog import Backlog
from sandbox.event_source.environment import Environment
from sandbox.event_source.function import LambdaFunction
from sandbox.event_source.invoker import BatchInvoker
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.partition_queue import PartitionQueue
from sandbox.event_source.stats import StatsCounter


def test_a_closed_batch_loses_the_lost_partitions_and_keeps_the_others(tmp_path: Path) -> None:
    function = LambdaFunction("m.f", task_root=tmp_path)
    invoker = BatchInvoker(
        EventSourceMapping("t", "g", "b:9092", function), Environment(function), None, Event(), StatsCounter()
    )
    queue = PartitionQueue("t", Backlog(batch_size=4, window=0), invoker, SimpleQueue())
    queue.backlog.add([Message("t", partition, 0, timestamp=(1, 0)) for partition in range(6)], 0.0)
    queue.offer(0.0)
    queue.drop({1, 5})
    assert queue._waiting.get_nowait().runs.keys() == {0, 2, 3}
    assert [record.partition() for record in queue.backlog.take(0.0)] == [4]
