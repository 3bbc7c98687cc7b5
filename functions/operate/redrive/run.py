"""A redrive from the operator's request to its result: report the plan, and with `--execute` carry it out."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from functions import registry
from functions.core.dead_letter import Reason
from functions.core.errors import Refused
from functions.core.ports import Source
from functions.core.record_place import RecordPlace
from functions.operate.context import OperatorContext
from functions.operate.dead_letters.selection import Selection, select
from functions.operate.formatting import counted
from functions.operate.redrive.claims import Claims
from functions.operate.redrive.execute import Redrive
from functions.operate.redrive.given_up import GivenUpRecords
from functions.operate.redrive.letters import LetterRecords, letter_records
from functions.operate.redrive.plan import RedrivePlan, plan
from functions.operate.redrive.records import LostRecords, SkippedRecord
from functions.operate.redrive.text import (
    given_up_text,
    interrupted_text,
    letters_text,
    map_text,
    plan_text,
    result_text,
)
from functions.operate.redrive.value_map import MappedRecords, ValueMap
from functions.operate.settled import settled_in
from functions.operate.terminal import Terminal


@dataclass(frozen=True, slots=True)
class RedriveRequest:
    """Which dead letters, or with `given_up` which records of discarded batches, of the selection's places if any.

    `include_redriven` sends what was redriven or discarded before, too. `value_map` changes values on the way, and
    `per_second` limits the number of records. Without `execute` nothing is sent.
    """

    selection: Selection = field(default_factory=Selection)
    given_up: bool = False
    include_redriven: bool = False
    execute: bool = False
    value_map: ValueMap | None = None
    per_second: int | None = None


def run(context: OperatorContext, request: RedriveRequest, terminal: Terminal) -> None:
    """Report what would be sent, or send it.

    Refused if a named place has no record, or if records were refused by the brokers or skipped.
    """
    lost = _given_up(context) if request.given_up else _letters(context, request.selection, terminal)
    wanted = request.selection.places
    places = [place for place in lost.places() if not wanted or place in wanted]
    _require_all(wanted, places)
    redrive_plan = plan(
        places, context.claims.all(), settled_in(context), context.now(), include_redriven=request.include_redriven
    )
    terminal.say(plan_text(redrive_plan, context.pipeline.topic, execute=request.execute))
    for line in given_up_text(lost) if isinstance(lost, GivenUpRecords) else letters_text(lost):
        terminal.say(line)
    if others := _other_readers(context):
        terminal.say(
            f"note: {', '.join(others)} read {context.pipeline.topic} too, and will process these as new records"
        )
    records = lost if request.value_map is None else MappedRecords(lost, request.value_map)
    if request.execute:
        _execute(context, records, redrive_plan, request.per_second, terminal)
    elif isinstance(records, MappedRecords):
        _rehearse(records, redrive_plan, terminal)


def _execute(
    context: OperatorContext,
    records: LostRecords,
    redrive_plan: RedrivePlan,
    per_second: int | None,
    terminal: Terminal,
) -> None:
    redrive = Redrive(context, Claims(context.claims, owner=uuid.uuid4().hex), records, terminal)
    result = redrive.result
    try:
        redrive.execute(redrive_plan, per_second)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(interrupted_text(result)) from None
    terminal.say(result_text(result, context.pipeline.topic))
    if result.refused:
        place, why = next(iter(result.refused.items()))
        raise Refused(f"the brokers refused {len(result.refused):,} records, such as {place}: {why}")
    if result.skipped:
        raise Refused(f"{counted(len(result.skipped), 'record')} were skipped: their letters are as they were")


def _rehearse(records: MappedRecords, redrive_plan: RedrivePlan, terminal: Terminal) -> None:
    """Call the map for each record that would be sent, and say which would be skipped."""
    places = sorted([place for place, _ in redrive_plan.send] + [claim.place for claim in redrive_plan.unfinished])
    skipped = 0
    for chunk in terminal.chunks(places):
        for record in records.read(chunk):
            if isinstance(record, SkippedRecord):
                skipped += 1
                terminal.say(f"would skip {record.place}: {record.why}")
    terminal.say(map_text(len(places), len(records.unchanged), skipped))


def _letters(context: OperatorContext, selection: Selection, terminal: Terminal) -> LetterRecords:
    entries = list(select(context, selection, terminal.say))
    with_refused = bool(selection.places) or selection.reason is Reason.REFUSED
    return letter_records(context.letters, entries, context.pool, with_refused=with_refused)


def _given_up(context: OperatorContext) -> GivenUpRecords:
    pipeline, listing = context.pipeline, context.ledger_listing
    numbers = listing.positions(pipeline.name, pipeline.topic)
    gaps = {number: listing.gaps(Source(pipeline.name, pipeline.topic, number)) for number in numbers}
    return GivenUpRecords(context.discarded, pipeline.topic, gaps)


def _require_all(requested: Sequence[RecordPlace], places: Sequence[RecordPlace]) -> None:
    if missing := [str(place) for place in requested if place not in places]:
        raise Refused(f"nothing to redrive at {', '.join(missing)}: no letter, or with --given-up no gap")


def _other_readers(context: OperatorContext) -> list[str]:
    name, topic = context.pipeline.name, context.pipeline.topic
    return [other.name for other in registry.load_all().values() if other.topic == topic and other.name != name]
