"""The settlement protocol: every effect of a slice durable, exactly once, and the ledger advanced.

Laws
    1. A writer puts an object only at the key of an N that it read from the ledger, and never replaces one.
    2. The ledger passes N only after an object at N exists; where N has none, after the slice's other effects.
    3. The content of the object at N is what is rolled forward, whichever writer wrote it.
    4. Counters move only in the transaction that moves the ledger.
So a writer that resumes late finds its key in use, adopts the object there, and fails its transaction.

    8. A stop is durable: recorded in the ledger, so that neither a restart nor a later batch settles past it.
    9. A record that ends the process is found and set aside: see narrowing.
   11. What succeeded is not repeated: a settlement that is run again continues where it was.
"""

from bisect import bisect_right
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date

from functions.core.dead_letter import DeadLetter, Reason, dead_letter
from functions.core.dedup import repeated_offsets, seen_events
from functions.core.effects import clock_after
from functions.core.errors import Busy, Corrupt, Flood, Refused, Retry, Stop
from functions.core.evaluate import Evaluation, evaluate
from functions.core.intent import Cover, Gap, Intent, fitting_end, intent_of
from functions.core.mutex import Mutex, NoMutex
from functions.core.narrowing import acquitted, first_records, lethal, narrowed
from functions.core.pipeline import AnyPipeline
from functions.core.plan import Plan, effects_of, refused_letters
from functions.core.ports import Opening, Position, Source, Stores, Suspect
from functions.core.rows import Rows
from functions.core.schema_lookup import SchemaCache
from functions.core.slice import Slice
from functions.core.stops import durable_stop, newest_timestamp, raise_stop, refuse_recreated_topic


@dataclass(slots=True)
class Settled:
    """What settling a slice did. Counts only what this writer's transactions moved: sums over writers are exact."""

    next: int = 0  # the ledger's next offset, after the slice
    records: int = 0
    rows: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    dropped: int = 0
    repeated: int = 0  # records whose event another record had claimed
    already_settled: int = 0  # records of the slice that the ledger had passed before
    adopted: int = 0  # objects of another writer, or of an earlier attempt, that were rolled forward
    conflicts: int = 0  # transactions that failed because another writer had moved the ledger
    gaps: list[Gap] = field(default_factory=list)


@dataclass(slots=True)
class Settler:
    """Settles the slices of one pipeline. Different partitions may settle concurrently, one partition only in order.

    `owner` identifies this process. `alone` is held while a suspect slice is settled, so that the process cannot end
    in two of them at once.
    """

    pipeline: AnyPipeline
    stores: Stores
    mask_key: bytes
    owner: str = "process"
    alone: Mutex = field(default_factory=NoMutex)
    schemas: SchemaCache = field(default_factory=SchemaCache)
    broken: Counter[int] = field(default_factory=Counter)  # attempts at each partition that ended with an unknown error

    def begin(self, slice_: Slice) -> "Settlement":
        """Return the settlement of a slice, which is to be run until it does not raise Retry."""
        return Settlement(self, slice_)

    def settle(self, slice_: Slice) -> Settled:
        """Settle a slice in one attempt. Raises Retry or Stop; settling again is always safe."""
        return self.begin(slice_).run()

    def owner_of(self, partition: int) -> str:
        """Return the owner of attempts at a partition. An attempt that a bug ended is like one of an ended process."""
        return f"{self.owner}/{self.broken[partition]}"


class Settlement:
    """A slice that is being settled.

    `evaluating` is true while the pipeline's code runs, and `evaluations` counts how often that began.
    """

    def __init__(self, settler: Settler, slice_: Slice) -> None:
        self.evaluating, self.evaluations = False, 0
        self._abandoned = False
        self._settler, self._pipeline, self._stores = settler, settler.pipeline, settler.stores
        self._source = Source(settler.pipeline.name, slice_.topic, slice_.partition)
        self._rest = slice_
        self._settled = Settled()
        self._evaluation: Evaluation | None = None
        self._plan: Plan | None = None
        self._suspect = False  # whether the ledger had a suspect when it was last opened
        self._stopped = False  # whether the stop was in the ledger before

    def run(self) -> Settled:
        """Return when the ledger has passed the slice. Raises Retry or Stop; after Retry it may be run again."""
        try:
            while not self._turn():
                pass
        except Retry:
            self.release()
            raise
        except Stop as stop:
            self.release()
            self._record(stop)
            raise
        except BaseException:
            self._settler.broken[self._source.partition] += 1
            raise
        return self._settled

    def release(self) -> None:
        """Record that the attempt has ended in good order: then no record is suspected."""
        with suppress(Retry):  # otherwise the owner stays, which this process knows for its own
            self._stores.ledger.release(self._source, self._owner)

    def abandon(self) -> None:
        """Release the attempt, and have it end before it opens the ledger again and becomes the owner once more."""
        self._abandoned = True
        self.release()

    @property
    def _owner(self) -> str:
        return self._settler.owner_of(self._source.partition)

    def _turn(self) -> bool:
        """Settle once from the ledger's next offset on. True: the ledger has passed the slice."""
        if not self._suspect:
            position = self._open()
            if not self._suspect:
                return self._settle(position)
        if not self._settler.alone.acquire(blocking=False):
            raise Busy(f"{self._rest}: another suspect slice of this process is being settled")
        try:
            return self._settle(self._open())
        finally:
            self._settler.alone.release()

    def _open(self) -> Position:
        """Step 1, and the narrowing if the last attempt ended with its process."""
        if self._abandoned:
            raise Busy(f"{self._rest}: the attempt was abandoned")
        if self._source.topic != self._pipeline.topic:
            raise Refused(f"{self._rest}: expected records of topic {self._pipeline.topic!r}")
        now, rest = self._stores.now(), self._rest
        opening = Opening(now.date(), self._pipeline.has_lake, self._owner)
        position, previous = self._stores.ledger.open(self._source, rest.start, rest.end, opening)
        self._stopped = position.stop is not None
        raise_stop(self._source, position)
        refuse_recreated_topic(rest, position, now)
        suspect = position.suspect if position.suspect and position.suspect.end >= position.next else None
        position = replace(position, suspect=suspect)
        judged = self._judged(position, previous)
        if judged is not None and judged != suspect:
            if not self._stores.ledger.narrow(self._source, position, judged):
                return self._open()
            position = replace(position, suspect=judged)
        self._suspect = position.suspect is not None
        return position

    def _judged(self, position: Position, previous: str | None) -> Suspect | None:
        """Return the suspect after what this open has shown: this owner is alive, the previous one may not be."""
        if position.next > self._rest.end:
            return position.suspect
        suspect = acquitted(position.suspect, self._owner)
        if previous is None or previous == self._owner:
            return suspect
        return narrowed(suspect, self._rest.since(position.next), previous)

    def _settle(self, position: Position) -> bool:
        if position.next > self._rest.end:
            self._settled.next = position.next
            self._settled.already_settled += len(self._rest)
            return True
        length, self._rest = len(self._rest), self._rest.since(position.next)
        self._settled.already_settled += length - len(self._rest)
        plan = self._durable_plan(position)
        self._apply(plan)
        if not self._advance(position, plan.intent):
            self._settled.conflicts += 1
            self._plan = None
            return False
        self._count(plan)
        self._plan, passed = None, plan.intent.cover.end
        self._settled.next = passed + 1
        if passed < self._rest.end:
            self._rest = self._rest.since(passed + 1)
            return False
        return True

    def _durable_plan(self, position: Position) -> Plan:
        """Steps 2 and 3: store dead letters, then put the object at N, or read the one that exists."""
        if self._plan is None or not self._plan.is_at(position):
            self._plan = self._found(position) or self._evaluated_plan(position)
        self._plan.store_letters(self._stores)
        if not self._plan.durable:
            if self._stores.lake.put(self._source, _day(self._source, position), self._plan.intent):
                self._plan.durable = True
            else:
                self._plan = self._adopted(position)
        return self._plan

    def _found(self, position: Position) -> Plan | None:
        """Return the plan of the object at N, if an attempt that did not end may have put one."""
        if not position.has_object or not (position.step or position.suspect):
            return None
        if position.step:
            return self._adopted(position)
        intent = self._stores.lake.get(self._source, _day(self._source, position), position.next)
        return None if intent is None else self._plan_of(intent, position, None, [])

    def _adopted(self, position: Position) -> Plan:
        """Return the plan of the object at N, which exists."""
        intent = self._stores.lake.get(self._source, _day(self._source, position), position.next)
        if intent is None:
            raise Corrupt(f"{self._source}: the object at {position.next} of {position.day} has disappeared")
        return self._plan_of(intent, position, None, [])

    def _evaluated_plan(self, position: Position) -> Plan:
        evaluation = self._evaluate(position)
        slice_ = evaluation.slice_
        if slice_.end > position.accepted:
            excess = self._pipeline.limits.flood.excess(position.window, len(slice_), len(evaluation.rejections))
            if excess:
                raise Flood(f"{slice_}: {excess}. Fix the pipeline, or accept the rejects, and resume the partition")
        max_counts = self._stores.ledger.counts_per_advance
        if not position.has_object:  # without an object to roll forward from, a slice needs to be atomic
            evaluation = evaluation.between(slice_.start, fitting_end(self._pipeline, evaluation, max_counts))
        slice_ = evaluation.slice_
        newest = newest_timestamp(slice_.timestamps, self._stores.now())
        repeated = self._repeated(evaluation, position, newest)
        evaluation = evaluation.without(repeated) if repeated else evaluation
        cover = Cover(position.next, slice_.start, slice_.end, newest)
        intent = intent_of(self._pipeline, evaluation, cover, position.clock, max_counts)
        return self._plan_of(intent, position, evaluation, self._letters(evaluation), len(repeated))

    def _repeated(self, evaluation: Evaluation, position: Position, newest: int) -> set[int]:
        """Return the offsets of records whose event another record has claimed."""
        dedup, seen = self._pipeline.dedup, self._stores.seen
        if dedup is None or seen is None:
            return set()
        name, slice_ = self._pipeline.name, evaluation.slice_
        events = seen_events(name, slice_, evaluation.event_ids, position.newest, newest)
        return repeated_offsets(events, seen.claim, dedup.within_ms)

    def _plan_of(
        self,
        intent: Intent,
        position: Position,
        own: Evaluation | None,
        letters: list[DeadLetter],
        repeated: int = 0,
    ) -> Plan:
        effects = effects_of(intent, self._pipeline, self._stores, self._source, position.fence)
        durable = own is None or not position.has_object
        return Plan(intent, own, position.day, position.fence, letters, effects, durable=durable, repeated=repeated)

    def _evaluate(self, position: Position) -> Evaluation:
        """Evaluate the records to settle now; each record once per settlement, unless its process ended."""
        suspect = position.suspect
        piece = first_records(self._rest, suspect.size) if suspect else self._rest
        if len(piece) and piece.offsets[0] <= position.accepted:
            piece = piece.until(position.accepted)  # an operator has accepted these rejects, and no others
        rejection = lethal(suspect, piece)
        if rejection is not None and len(piece):
            columns: dict[str, list[object]] = {field.name: [] for field in self._pipeline.schema.fields}
            return Evaluation(piece, Rows([], [], [], columns), (rejection,))
        whole = self._evaluation
        if whole is not None and whole.slice_.start <= piece.start <= whole.slice_.end:
            piece = piece.until(whole.slice_.end)
        else:
            schemas = self._settler.schemas.of(self._pipeline, piece, self._stores.schemas)
            self.evaluating, self.evaluations = True, self.evaluations + 1
            try:
                whole = self._evaluation = evaluate(
                    self._pipeline, piece, self._settler.mask_key, schemas, has_object=bool(position.has_object)
                )
            finally:
                self.evaluating = False
        return whole.between(piece.start, piece.end)

    def _letters(self, evaluation: Evaluation) -> list[DeadLetter]:
        name, slice_ = self._pipeline.name, evaluation.slice_
        return [dead_letter(name, slice_, rejection) for rejection in evaluation.rejections]

    def _apply(self, plan: Plan) -> None:
        """Step 4: the idempotent effects. A row that a sink refuses becomes a dead letter."""
        plan.apply()
        if plan.refused and not plan.has_all_letters:
            plan.letters = refused_letters(self._source, self._rest, plan)
            plan.has_all_letters = True
            plan.store_letters(self._stores)

    def _advance(self, position: Position, intent: Intent) -> bool:
        """Step 5: counts and ledger together, in as many transactions as needed. False: another writer was first."""
        chunks = intent.counts
        if position.step >= len(chunks):
            raise Corrupt(f"{self._source}: the ledger is at step {position.step} of {len(chunks)}")
        end = self._end(position, intent)
        for step in range(position.step, len(chunks)):
            is_last = step + 1 == len(chunks)
            target = end if is_last else replace(position, step=step + 1)
            gap = intent.cover.gap if is_last else None
            if not self._stores.ledger.advance(self._source, position, target, chunks[step], gap):
                return False
            position = target
        return True

    def _end(self, position: Position, intent: Intent) -> Position:
        next_, suspect, window = intent.cover.end + 1, position.suspect, position.window
        if intent.cover.end > position.accepted:
            window = self._pipeline.limits.flood.extended(window, intent.records, intent.rejects)
        return Position(
            next=next_,
            step=0,
            day=None,
            newest=max(position.newest, intent.cover.newest),
            suspect=Suspect(suspect.end, suspect.size) if suspect and suspect.end >= next_ else None,
            accepted=position.accepted,
            window=window,
            topic_id=position.topic_id,
            fence=position.fence,
            clock=clock_after(intent.rows, position.clock, intent.cover.newest),
        )

    def _count(self, plan: Plan) -> None:
        # Not slice_.until: after the mapping gave up, an adopted object may end before this slice starts.
        cover, settled = plan.intent.cover, self._settled
        settled.records += bisect_right(self._rest.offsets, cover.end)
        settled.rows += len(plan.intent.rows)
        settled.gaps += [cover.gap] if cover.gap else []
        settled.rejected.update({Reason.REFUSED: len(plan.refused)} if plan.refused else {})
        if plan.own is None:
            settled.adopted += 1
        else:
            settled.rejected.update(rejection.reason for rejection in plan.own.rejections)
            settled.dropped += plan.own.dropped - plan.repeated
            settled.repeated += plan.repeated

    def _record(self, error: Stop) -> None:
        """Record a stop that must outlive this process. If the ledger is unavailable, Retry is raised instead."""
        stop = None if self._stopped else durable_stop(error, self._rest, self._stores.now())
        if stop is not None:
            self._stores.ledger.stop(self._source, stop)


def _day(source: Source, position: Position) -> date:
    if position.day is None:
        raise Corrupt(f"{source}: the ledger is open at {position.next} but has no day")
    return position.day
