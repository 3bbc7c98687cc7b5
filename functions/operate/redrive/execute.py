"""Sending lost records to the source topic again, once for each time that an operator asks for it.

The order for each chunk: claim, send, mark as sent. A redrive that dies in between leaves claims in `sending`. The next
one searches the topic for those records and sends only those that it does not find. Where the log does not reach back
that far, it sends nothing: in doubt a record is sent at most once, and `--include-redriven` overrides that.

Where another redrive claims a record first, this one sends nothing after that record in its partition: the other one
may send it later, and the records of a key stay in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from operator import itemgetter
from typing import Final

from functions.core.errors import Unavailable
from functions.core.operator_ports import LogBounds, OutgoingRecord
from functions.core.record_place import RecordPlace
from functions.core.redrive import RedriveClaim, redrive_headers
from functions.operate.context import OperatorContext
from functions.operate.redrive.claims import Claims
from functions.operate.redrive.plan import Candidate, RedrivePlan
from functions.operate.redrive.records import LostRecord, LostRecords, SkippedRecord
from functions.operate.terminal import Terminal

MAX_OWN_CLAIM_AGE: Final = timedelta(minutes=1)  # a process with older claims was suspended, and must not send


@dataclass(slots=True)
class RedriveResult:
    """What a redrive did, or has done so far."""

    planned: int = 0
    sent: int = 0
    already_sent: int = 0  # of an unfinished redrive: found in the topic
    uncertain: list[RecordPlace] = field(default_factory=list)  # of an unfinished redrive: the log has expired
    taken: int = 0  # claimed by another redrive after the plan was made
    behind: int = 0  # of the same partition as one that was taken, and after it
    skipped: dict[RecordPlace, str] = field(default_factory=dict)
    refused: dict[RecordPlace, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redrive:
    """One run. Each record goes to the partition that it came from, so that keys stay together."""

    context: OperatorContext
    claims: Claims
    records: LostRecords
    terminal: Terminal
    result: RedriveResult = field(default_factory=RedriveResult)
    taken: set[tuple[str, int]] = field(default_factory=set)  # partitions in which another redrive was faster

    def execute(self, plan: RedrivePlan, per_second: int | None = None) -> None:
        """Send what the plan says, at most so many records per second.

        Unavailable where it is unknown what was sent; running again finds out. KeyboardInterrupt comes between two
        chunks, so that the records of each are sent and marked, or untouched.
        """
        topic, brokers = self.context.pipeline.topic, self.context.brokers
        bounds = brokers.bounds(topic, brokers.partitions(topic))
        candidates = sorted([*plan.send, *self._not_sent(plan.unfinished)], key=itemgetter(0))
        self.result.planned = len(candidates)
        for chunk in self.terminal.chunks(candidates, per_second):
            self._send_chunk([each for each in chunk if self._is_next(each)], bounds)

    def _not_sent(self, unfinished: Sequence[RedriveClaim]) -> list[Candidate]:
        """Return the records of an unfinished redrive that the topic does not hold, and mark the others as sent."""
        lows = {partition: self._low(*partition) for partition in {claim.since[:2] for claim in unfinished}}
        self.result.uncertain = [claim.place for claim in unfinished if lows[claim.since[:2]] > claim.since.offset]
        certain = [claim for claim in unfinished if lows[claim.since[:2]] <= claim.since.offset]
        found = self.context.search.search({claim.since for claim in certain})
        for claim in certain:
            if claim.place in found:
                self.claims.mark_sent(claim)
                self.result.already_sent += 1
        return [(claim.place, claim) for claim in certain if claim.place not in found]

    def _low(self, topic: str, partition: int) -> int:
        return self.context.brokers.bounds(topic, [partition])[partition].low

    def _is_next(self, candidate: Candidate) -> bool:
        """Return whether no earlier record of the partition was left to another redrive; count it if one was."""
        is_next = candidate[0][:2] not in self.taken
        self.result.behind += not is_next
        return is_next

    def _send_chunk(self, chunk: Sequence[Candidate], bounds: Mapping[int, LogBounds]) -> None:
        records = self._readable([place for place, _ in chunk])  # before anything is claimed
        candidates = [each for each in chunk if each[0] in records]
        targets = [place.partition % len(bounds) for place, _ in candidates]
        since = [RecordPlace(self.context.pipeline.topic, target, bounds[target].high) for target in targets]
        claims = self._in_order(candidates, list(self.context.pool.map(self._claim, candidates, since)))
        outgoing = [
            _outgoing(records[place], target, claims[place])
            for (place, _), target in zip(candidates, targets, strict=True)
            if place in claims
        ]
        self._send(outgoing, claims, dict(candidates))

    def _readable(self, places: Sequence[RecordPlace]) -> dict[RecordPlace, LostRecord]:
        records = {}
        for record in self.records.read(places):
            if isinstance(record, SkippedRecord):
                self.result.skipped[record.place] = record.why
                self.terminal.say(f"skipped {record.place}: {record.why}")
            else:
                records[record.place] = record
        return records

    def _in_order(
        self, candidates: Sequence[Candidate], taken: Sequence[RedriveClaim | None]
    ) -> dict[RecordPlace, RedriveClaim]:
        """Return the claims up to the first record of each partition that is another's, and release those after it."""
        claims = {}
        for (place, expected), claim in zip(candidates, taken, strict=True):
            if claim is None:
                self.result.taken += 1
                self.taken.add(place[:2])
            elif place[:2] in self.taken:
                self.result.behind += 1
                self.claims.release(claim, expected)
            else:
                claims[place] = claim
        return claims

    def _claim(self, candidate: Candidate, since: RecordPlace) -> RedriveClaim | None:
        return self.claims.take(*candidate, since, self.context.now())

    def _send(
        self,
        outgoing: Sequence[OutgoingRecord],
        claims: Mapping[RecordPlace, RedriveClaim],
        expected: Mapping[RecordPlace, RedriveClaim | None],
    ) -> None:
        if any(self.context.now() - claim.claimed_at > MAX_OWN_CLAIM_AGE for claim in claims.values()):
            raise Unavailable(
                "this process was suspended, and another redrive may have taken its records: run it again in 5 minutes"
            )
        answers = self.context.sender.send(self.context.pipeline.topic, outgoing)
        list(self.context.pool.map(self.claims.mark_sent, [claims[place] for place in answers.acknowledged]))
        for place in answers.refused:
            self.claims.release(claims[place], expected[place])
        self.result.sent += len(answers.acknowledged)
        self.result.refused |= answers.refused
        if answers.unknown:
            place, why = next(iter(answers.unknown.items()))
            raise Unavailable(
                f"{self.result.sent:,} records were sent, {len(answers.unknown):,} may have been, such as {place}: "
                f"{why}. Run it again in 5 minutes: it searches the topic for them before it sends them"
            )


def _outgoing(record: LostRecord, partition: int, claim: RedriveClaim) -> OutgoingRecord:
    headers = redrive_headers(record.headers, record.place, claim.times)
    return OutgoingRecord(record.place, partition, record.key, record.value, headers)
