"""The settlement protocol: every effect of a slice durable, exactly once, and the ledger advanced.

Laws
    1. An object is only ever put at the key of an N that was read from the ledger, and is never replaced.
    2. The ledger passes N only after an object at N exists; without a lake, after the slice's other effects.
    3. What is rolled forward is what the object at N says, whoever wrote it.
    4. Counters move only in the transaction that moves the ledger.
So a writer that wakes up late finds its key taken, adopts what is there, and fails its transaction.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace

from functions.core.dead_letter import Reason, dead_letter
from functions.core.effects import Count, counts, messages, newest
from functions.core.errors import Corrupt, OffsetsWentBack
from functions.core.evaluate import Evaluation, evaluate
from functions.core.flood import FloodGate
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Cover, Gap, Position, Source, Stores
from functions.core.rows import Rows
from functions.core.slice import Slice


@dataclass(slots=True)
class Settled:
    """What settling a slice did. Only what this writer's own transactions moved counts: sums over writers are exact."""

    next: int = 0  # the ledger's next offset, beyond the slice
    records: int = 0
    rows: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    dropped: int = 0
    already: int = 0  # records of the slice that the ledger had passed before
    adopted: int = 0  # objects of another writer (or of an earlier try) that were rolled forward
    conflicts: int = 0  # transactions that another writer had made first
    gaps: list[Gap] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to become true: the object's cover and rows, and the evaluation if the object is this writer's own."""

    cover: Cover
    rows: Rows
    own: Evaluation | None


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles the slices of one pipeline. Different partitions may settle side by side; one partition only in order."""

    pipeline: AnyPipeline
    stores: Stores
    mask_key: bytes
    gates: dict[int, FloodGate] = field(default_factory=dict)

    def settle(self, part: Slice) -> Settled:
        """Return when the ledger has passed the slice. Raises Retry or Stop; settling again is always right."""
        done = Settled()
        source = Source(self.pipeline.name, part.topic, part.partition)
        while True:
            at = self.stores.ledger.open(source, part.start, part.end, self.stores.today())
            _forward_only(part, at)
            if at.next > part.end:
                done.next, done.already = at.next, done.already + len(part)
                return done
            whole, part = len(part), part.since(at.next)
            done.already += whole - len(part)
            plan = self._make_durable(source, at, part)
            self._apply(source, plan.rows)
            if not self._advance(source, at, plan):
                done.conflicts += 1
                continue
            self._count(part, plan, done)
            if plan.cover.end >= part.end:
                done.next = plan.cover.end + 1
                return done
            part = part.since(plan.cover.end + 1)

    def _make_durable(self, source: Source, at: Position, part: Slice) -> _Plan:
        """Steps 2 and 3: dead letters, then the one object of N, ours or the one that is there."""
        part, evaluation = self._evaluate(part)
        rejections = evaluation.rejections
        self._gate(part).check(len(part), len(rejections))
        if rejections:
            self.stores.dead_letters.store([dead_letter(self.pipeline.name, part, each) for each in rejections])
        cover = Cover(at.next, part.start, part.end, max(part.timestamps, default=-1))
        lake = self.stores.lake
        if at.day is None:
            raise Corrupt(f"{source}: the ledger was opened at {at.next} and names no day")
        if lake is None or lake.put(source, at.day, cover, evaluation.rows):
            return _Plan(cover, evaluation.rows, evaluation)
        return _Plan(*lake.get(source, at.day, at.next), None)

    def _evaluate(self, part: Slice) -> tuple[Slice, Evaluation]:
        """Evaluate; without a lake to roll forward from, all counts must fit one transaction, so cut until they do."""
        evaluation = evaluate(self.pipeline, part, self.mask_key)
        room = self.stores.ledger.counts_per_advance
        while self.stores.lake is None and len(self._counts(evaluation.rows)) > room and len(part) > 1:
            part = part.until(part.offsets[len(part) // 2] - 1)
            evaluation = evaluate(self.pipeline, part, self.mask_key)
        return part, evaluation

    def _apply(self, source: Source, rows: Rows) -> None:
        """Step 4: the idempotent effects."""
        for table in self.pipeline.tables:
            kind = self.pipeline.schema.kind(table.key)
            self.stores.tables[table.name].put(newest(table, kind, source.partition, rows))
        for topic in self.pipeline.topics:
            self.stores.topics[topic.name].send(messages(topic, f"{source.topic}/{source.partition}", rows))

    def _advance(self, source: Source, at: Position, plan: _Plan) -> bool:
        """Step 5: counts and ledger together, in as many transactions as they need. False: somebody was faster."""
        room = self.stores.ledger.counts_per_advance
        adds = self._counts(plan.rows)
        chunks = [adds[first : first + room] for first in range(0, len(adds), room)] or [[]]
        if at.step >= len(chunks):
            raise Corrupt(
                f"{source}: the ledger is at step {at.step} of {len(chunks)}: has the pipeline's Counters changed?"
            )
        end = Position(plan.cover.end + 1, 0, None, max(at.newest, plan.cover.newest))
        for step in range(at.step, len(chunks)):
            last = step + 1 == len(chunks)
            to = end if last else replace(at, step=step + 1)
            if not self.stores.ledger.advance(source, at, to, chunks[step], plan.cover.gap if last else None):
                return False
            at = to
        return True

    def _counts(self, rows: Rows) -> list[Count]:
        return sorted(count for sink in self.pipeline.counters for count in counts(sink, rows))

    def _count(self, part: Slice, plan: _Plan, done: Settled) -> None:
        # Not part.until: where the mapping gave up, an adopted object may end before this slice begins.
        mine = bisect_right(part.offsets, plan.cover.end)
        done.records += mine
        done.rows += len(plan.rows)
        done.gaps += [plan.cover.gap] if plan.cover.gap else []
        if plan.own is None:
            done.adopted += 1
            return
        done.rejected.update(rejection.reason for rejection in plan.own.rejections)
        done.dropped += plan.own.dropped
        self._gate(part).passed(mine, len(plan.own.rejections))

    def _gate(self, part: Slice) -> FloodGate:
        return self.gates.setdefault(part.partition, FloodGate(self.pipeline.limits.flood))


def _forward_only(part: Slice, at: Position) -> None:
    """Settled records are no newer than the ledger's `newest`: one below `next` that is newer was never settled."""
    if part.start >= at.next:
        return
    below = [time for offset, time in zip(part.offsets, part.timestamps, strict=True) if offset < at.next]
    if max(below, default=-1) > at.newest:
        raise OffsetsWentBack(
            f"{part}: the ledger has settled offsets before {at.next}, but these records are newer than all it "
            "settled. Was the topic recreated or the cluster restored? Rewind the ledger on purpose to go on"
        )
