"""What a lane forgets when partitions are lost, before any thread runs."""

from pathlib import Path
from queue import SimpleQueue
from threading import Event

from confluent_kafka import Message

from functions.local.event_source.backlog import Backlog
from functions.local.event_source.environment import Environment
from functions.local.event_source.function import Function
from functions.local.event_source.invoker import Invoker
from functions.local.event_source.lane import Lane
from functions.local.event_source.mapping import Mapping
from functions.local.event_source.stats import Tally


def test_a_closed_batch_loses_the_lost_partitions_and_keeps_the_others(tmp_path: Path) -> None:
    function = Function("m.f", task_root=tmp_path)
    invoker = Invoker(Mapping("t", "g", "b:9092", function), Environment(function), None, Event(), Tally())
    lane = Lane("t", Backlog(batch_size=4, window=0), invoker, SimpleQueue())
    lane.backlog.add([Message("t", partition, 0, timestamp=(1, 0)) for partition in range(6)], 0.0)
    lane.offer(0.0)
    lane.drop({1, 5})
    assert lane._waiting.get_nowait().runs.keys() == {0, 2, 3}
    assert [record.partition() for record in lane.backlog.take(0.0)] == [4]
