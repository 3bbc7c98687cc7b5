"""Sending lost records to the source topic again, once for every time that somebody asks for it.

A chunk's order: claim the marks, send, mark as sent. A redrive that dies in between leaves marks in `sending`; the next
one looks for those records in the topic, and sends only what is not there. Where the topic does not reach back to that
time any more it sends nothing: in doubt it errs towards at most once, and `--again` is for whoever knows better.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from functions.core.errors import Unavailable
from functions.operate.brokers import Brokers, Ends
from functions.operate.lookup import redriven
from functions.operate.marks import Mark, Marks
from functions.operate.place import Place
from functions.operate.plan import Plan
from functions.operate.records import Lost, Source, headers
from functions.operate.sender import Outgoing, Sender

CHUNK: Final = 100  # records held in memory at a time
ASLEEP: Final = timedelta(minutes=1)  # a process that finds its own claims so old does not send any more
TELL_SECONDS: Final = 5.0


@dataclass(slots=True)
class Done:
    """What a redrive did."""

    sent: int = 0
    found: int = 0  # of those left by a redrive that died: were in the topic
    lost_track: list[Place] = field(default_factory=list)  # of those: nobody can tell any more
    taken: int = 0  # another redrive was faster
    refused: dict[Place, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redrive:
    """`owner` names this run. Records go to the partition they came from, so that keys stay together."""

    marks: Marks
    brokers: Brokers
    sender: Sender
    source: Source
    pool: Executor
    owner: str

    def go(self, made: Plan, say: Callable[[str], None]) -> Done:
        """Carry a plan out. Raises Unavailable where it cannot be known what was sent; running again finds out."""
        done, told = Done(), time.monotonic()
        topic = self.sender.topic
        ends = self.brokers.ends(topic, self.brokers.partitions(topic))
        todo = sorted([*made.send, *self._not_sent(made.unfinished, done)])
        for begin in range(0, len(todo), CHUNK):
            self._chunk(todo[begin : begin + CHUNK], ends, done)
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                say(f"{done.sent:,} of {len(todo):,} sent")
        return done

    def _not_sent(self, unfinished: Sequence[Mark], done: Done) -> list[tuple[Place, Mark | None]]:
        """Of those left by a redrive that died, the ones that the topic does not hold; the found ones are marked."""
        lows = {where: self._low(*where) for where in {mark.since[:2] for mark in unfinished}}
        known = [mark for mark in unfinished if lows[mark.since[:2]] <= mark.since.offset]
        done.lost_track = [mark.place for mark in unfinished if lows[mark.since[:2]] > mark.since.offset]
        there = redriven(self.brokers.connection, self.brokers.group, {mark.since for mark in known}) if known else ()
        for mark in known:
            if mark.place in there:
                self.marks.sent(mark)
                done.found += 1
        return [(mark.place, mark) for mark in known if mark.place not in there]

    def _low(self, topic: str, partition: int) -> int:
        return self.brokers.ends(topic, [partition])[partition].low

    def _chunk(self, todo: Sequence[tuple[Place, Mark | None]], ends: Mapping[int, Ends], done: Done) -> None:
        records = self.source.read([place for place, _ in todo])  # before anything is claimed
        targets = [place.partition % len(ends) for place, _ in todo]
        since = [Place(self.sender.topic, target, ends[target].high) for target in targets]
        claims = list(self.pool.map(self._claim, todo, since))
        mine = {claim.place: claim for claim in claims if claim}
        done.taken += len(todo) - len(mine)
        pairs = zip(records, targets, strict=True)
        outgoing = [outgoing_of(record, to, mine[record.place]) for record, to in pairs if record.place in mine]
        self._send(outgoing, mine, dict(todo), done)

    def _claim(self, todo: tuple[Place, Mark | None], since: Place) -> Mark | None:
        return self.marks.claim(*todo, self.owner, since)

    def _send(
        self, outgoing: list[Outgoing], mine: Mapping[Place, Mark], seen: Mapping[Place, Mark | None], done: Done
    ) -> None:
        if any(self.marks.now() - mark.at > ASLEEP for mark in mine.values()):
            raise Unavailable("this process was asleep, and others may have taken its work: run it again in 5 minutes")
        outcome = self.sender.send(outgoing)
        list(self.pool.map(self.marks.sent, [mine[place] for place in outcome.acknowledged]))
        for place in outcome.refused:
            self.marks.release(mine[place], seen[place])
        done.sent += len(outcome.acknowledged)
        done.refused |= outcome.refused
        if outcome.unknown:
            place, why = next(iter(outcome.unknown.items()))
            raise Unavailable(
                f"{done.sent:,} records are sent; {len(outcome.unknown):,} may be, such as {place}: {why}. "
                "Run it again in 5 minutes: it looks for them in the topic before it sends them"
            )


def outgoing_of(record: Lost, partition: int, mark: Mark) -> Outgoing:
    """The record as it goes out."""
    return Outgoing(record.place, partition, record.key, record.value, headers(record, mark.times))
