"""Sends the same messages through each runtime, from the client's objects to stores in memory."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final, cast

from confluent_kafka import Message

from functions.core.effects import Newest
from functions.core.pipeline import AnyPipeline, Tombstones
from functions.core.ports import Stores
from functions.core.settle import Settled, Settler
from functions.runtimes.msk.batch import Batch
from functions.runtimes.msk.event import slices
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.pace import Pace
from functions.runtimes.worker.records import runs
from sandbox.event_source.event import RecordBatch as Delivered
from sandbox.event_source.event import payload
from tests.fuzz.memory import KEY, stores

THREADS: Final = ThreadPoolExecutor(2)
SECONDS: Final = 30.0


@dataclass(frozen=True)
class World:
    """A pipeline on separate stores."""

    pipeline: AnyPipeline
    stores: Stores = field(default_factory=stores)

    @property
    def settler(self) -> Settler:
        """A new settler on these stores."""
        return Settler(self.pipeline, self.stores, KEY)

    def msk(self, messages: Sequence[Message], cuts: Iterator[int]) -> None:
        """Settle batches of the sizes in `cuts`; every third batch is redelivered, as after a crash."""
        batch = Batch(self.settler.begin, THREADS)
        for number, batch_messages in enumerate(_cut(messages, cuts)):
            for _ in range(2 if number % 3 == 0 else 1):
                event = json.loads(payload(_delivered(batch_messages), "arn:aws:kafka:::cluster", "b-1:9098"))
                for outcome in batch.run(list(slices(event)), time.monotonic() + SECONDS):
                    if not isinstance(outcome.result, Settled):
                        raise outcome.result

    def worker(self, messages: Sequence[Message], cuts: Iterator[int]) -> None:
        """Settle reads of the sizes in `cuts`; the pipeline's limits cut the slices."""
        fleet = Fleet(self.settler.begin, THREADS, time.time)
        numbers = {cast("int", message.partition()) for message in messages}
        fleet.lanes = {number: self._lane(number) for number in numbers}
        now = 0.0
        for read in _cut(messages, cuts):
            fleet.add(runs(read), now)
            now = _turn(fleet, now)
        while fleet.size:
            now = _turn(fleet, now)

    def _lane(self, partition: int) -> Lane:
        """Return an open lane that the client reads."""
        limits = self.pipeline.limits
        pace = Pace(limits.slice_records, SECONDS)
        return Lane(self.pipeline.topic, partition, limits, pace, position=0, is_open=True, attached=True)

    def effects(self) -> dict[str, Any]:
        """Return what the stores hold, independent of slices. In Lambda a header without a value is an empty header."""
        held: Any = self.stores  # the in-memory stores, whose content is readable
        objects, positions = held.lake.objects.items(), held.ledger.positions.items()
        return {
            "rows": Counter(row for (source, _, _), intent in objects for row in _rows(source, intent.rows)),
            "next": {source: position.next for source, position in positions},
            "counters": dict(held.ledger.counters),
            "tables": {name: _winners(self.pipeline, table.rows) for name, table in held.tables.items()},
            "messages": {name: Counter(map(repr, topic.messages)) for name, topic in held.topics.items()},
            "letters": {
                key: replace(letter, headers=[(name, value or b"") for name, value in letter.headers])
                for key, letter in held.dead_letters.letters.items()
            },
        }


def _winners(pipeline: AnyPipeline, rows: dict[Any, Newest]) -> dict[Any, Any]:
    """Return the winner of each key. What a delete's order begins with depends on slices: see effects.record_times."""
    if pipeline.tombstones is not Tombstones.DELETE:
        return rows
    return {key: (winner.offset, winner.order.partition, winner.row) for key, winner in rows.items()}


def _turn(fleet: Fleet, now: float) -> float:
    fleet.start(now)
    wait([lane.attempt.future for lane in fleet.lanes.values() if lane.attempt], SECONDS)
    for ended in fleet.ended(now):
        if ended.error is not None:
            raise ended.error
    return now + 1000  # long enough for any slice to be due


def _cut(messages: Sequence[Message], cuts: Iterator[int]) -> Iterator[list[Message]]:
    rest = list(messages)
    while rest:
        size = next(cuts)
        yield rest[:size]
        rest = rest[size:]


def _delivered(messages: Sequence[Message]) -> Delivered:
    by: Callable[[Message], Any] = Message.partition
    ordered = sorted(messages, key=by)  # stable: offsets stay in order
    return Delivered(cast("str", messages[0].topic()), {number: list(run) for number, run in groupby(ordered, by)})


def _rows(source: object, rows: Any) -> Iterator[tuple[str, ...]]:
    for index, offset in enumerate(rows.offsets):
        values = [column[index] for column in rows.columns.values()]
        yield str(source), str(offset), str(rows.timestamps[index]), repr(values)
    for delete in rows.deletes:
        yield str(source), repr(delete)
