"""The same messages through each runtime, from the client's objects to stores in memory."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final, cast

from confluent_kafka import Message

from functions.core.pipeline import AnyPipeline
from functions.core.ports import Stores
from functions.core.settle import Settled, Settler
from functions.local.event_source.event import Batch as Delivered
from functions.local.event_source.event import payload
from functions.runtimes.msk.batch import Batch
from functions.runtimes.msk.event import slices
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.records import runs
from tests.fuzz.memory import KEY, stores

THREADS: Final = ThreadPoolExecutor(2)
SECONDS: Final = 30.0


@dataclass(frozen=True)
class World:
    """A pipeline on stores of its own."""

    pipeline: AnyPipeline
    stores: Stores = field(default_factory=stores)

    @property
    def settler(self) -> Settler:
        """On these stores."""
        return Settler(self.pipeline, self.stores, KEY)

    def msk(self, messages: Sequence[Message], cuts: Iterator[int]) -> None:
        """Batch by batch, of sizes that `cuts` gives; every third one comes again, as after a crash."""
        batch = Batch(self.settler.settle, THREADS)
        for number, part in enumerate(_cut(messages, cuts)):
            for _ in range(2 if number % 3 == 0 else 1):
                event = json.loads(payload(_delivered(part), "arn:aws:kafka:::cluster", "b-1:9098"))
                for outcome in batch.run(list(slices(event)), time.monotonic() + SECONDS):
                    if not isinstance(outcome.result, Settled):
                        raise outcome.result

    def worker(self, messages: Sequence[Message], cuts: Iterator[int]) -> None:
        """Read by read, of sizes that `cuts` gives; slices are cut by the pipeline's limits."""
        fleet = Fleet(self.settler.settle, THREADS, time.time)
        numbers = {cast("int", message.partition()) for message in messages}
        fleet.lanes = {number: Lane(self.pipeline.topic, number, 0, self.pipeline.limits) for number in numbers}
        now = 0.0
        for part in _cut(messages, cuts):
            fleet.add(runs(part), now)
            now = _turn(fleet, now)
        while fleet.size:
            now = _turn(fleet, now)

    def effects(self) -> dict[str, Any]:
        """What the stores hold, however it was cut into slices. A header without a value is an empty one to Lambda."""
        held: Any = self.stores  # the in-memory ones, which can be looked into
        objects, positions = held.lake.objects.items(), held.ledger.positions.items()
        return {
            "rows": Counter(row for (source, _, _), (_, rows) in objects for row in _rows(source, rows)),
            "next": {source: at.next for source, at in positions},
            "counters": dict(held.ledger.counters),
            "tables": {name: table.rows for name, table in held.tables.items()},
            "messages": {name: Counter(map(repr, topic.messages)) for name, topic in held.topics.items()},
            "letters": {
                place: replace(letter, headers=[(name, value or b"") for name, value in letter.headers])
                for place, letter in held.dead_letters.letters.items()
            },
        }


def _turn(fleet: Fleet, now: float) -> float:
    fleet.start(now)
    fleet.wait(fleet.lanes, SECONDS)
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
    for at, offset in enumerate(rows.offsets):
        yield str(source), str(offset), str(rows.timestamps[at]), repr([column[at] for column in rows.columns.values()])
    for delete in rows.deletes:
        yield str(source), repr(delete)
