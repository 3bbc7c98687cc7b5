"""A plan: one intent on its way, with what is left of its dead letters and effects. A retry continues with the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic_core import to_json

from functions.core.dead_letter import DeadLetter, Reason, Rejection, dead_letter
from functions.core.effects import Message, Newest, messages, newest, record_times
from functions.core.errors import Fatal, Incomplete, Refused, Retry, Unavailable
from functions.core.evaluate import Evaluation
from functions.core.foreign import PROCESS_ERRORS, places_of, shortened, type_name
from functions.core.intent import Intent
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Position, Refusal, RowBatch, RowSink, Source, Stores
from functions.core.row_json import whole_rows
from functions.core.rows import Rows
from functions.core.slice import Slice

ROW_AS_VALUE: Final = "the value is the row, as the record was not at hand"  # the end of such a letter's detail


@dataclass(slots=True)
class Effect:
    """Writes to one sink. `items` are those that are not known to be durable."""

    sink: str
    write: Callable[[Sequence[Any]], Sequence[Refusal]]
    items: Sequence[Newest | Message]

    def apply(self) -> list[tuple[int, str]]:
        """Write the rest. Returns the offset of each row that the sink refuses, and why."""
        try:
            refusals = self.write(self.items)
        except Incomplete as error:
            self.items = error.remaining
            raise
        return [(self.items[refusal.index].offset, f"{self.sink}: {refusal.detail}") for refusal in refusals]


@dataclass(slots=True)
class CustomEffect:
    """Applies one batch to a sink of the user's own, which may raise anything."""

    sink: str
    store: RowSink
    batch: RowBatch

    def apply(self) -> list[tuple[int, str]]:
        """Apply the batch. Returns the offset of each row that the sink refuses, and why.

        Raises Refused if what the sink returns is none of its batch: another record would be rejected for it.
        """
        try:
            answer: Any = self.store.apply(self.batch)
            return [self._refused(refusal) for refusal in (() if answer is None else answer)]
        except (Retry, Refused, Fatal, *PROCESS_ERRORS):
            raise
        except BaseException as error:  # noqa: BLE001 - see the class
            # Not `from error`: its text may quote a row, and this one is logged with its causes.
            raise Unavailable(f"{self.sink}: {type_name(error)} in {places_of(error)}") from None

    def _refused(self, refusal: object) -> tuple[int, str]:
        offsets = self.batch.rows.offsets
        index = refusal.index if isinstance(refusal, Refusal) else None
        if not isinstance(refusal, Refusal) or type(index) is not int or not 0 <= index < len(offsets):
            got = type_name(refusal) if index is None else f"a Refusal of {shortened(repr(index))}"
            raise Refused(f"{self.sink}: expected Refusals of rows 0 to {len(offsets) - 1} of its batch, got {got}")
        return offsets[index], shortened(f"{self.sink}: {refusal.detail}")


@dataclass(slots=True)
class Plan:
    """`own`: the evaluation, if this writer made the intent. `refused`: offsets of rows that a sink refused.

    `day` and `fence` are those of the position that the intent is for.
    `repeated`: how many records are dropped because another record had claimed their event.
    """

    intent: Intent
    own: Evaluation | None
    day: date | None
    fence: int
    letters: Sequence[DeadLetter]
    effects: list[Effect | CustomEffect]
    durable: bool  # the object is in the lake, or there is to be none
    refused: list[tuple[int, str]] = field(default_factory=list)
    repeated: int = 0
    has_all_letters: bool = False  # whether `letters` held those of the refused rows, or still does

    def is_at(self, position: Position) -> bool:
        """Whether the plan is that of the ledger's next offset."""
        return (self.intent.cover.next, self.day, self.fence) == (position.next, position.day, position.fence)

    def store_letters(self, stores: Stores) -> None:
        """Store the dead letters that are not known to be durable."""
        if self.letters:
            try:
                stores.dead_letters.store(self.letters)
            except Incomplete as error:
                self.letters = error.remaining
                raise
            self.letters = ()

    def apply(self) -> None:
        """Apply the effects that are left; each one once."""
        while self.effects:
            self.refused += self.effects[0].apply()
            del self.effects[0]


def effects_of(
    intent: Intent, pipeline: AnyPipeline, stores: Stores, source: Source, epoch: int
) -> list[Effect | CustomEffect]:
    """Return the effects of an intent on the sinks that the running pipeline still has."""
    batch = RowBatch(source, epoch, intent.cover.next, intent.cover.end, intent.rows)
    return [
        *_tables(intent, pipeline, stores, source),
        *_topics(intent, pipeline, stores, source),
        *_custom_sinks(intent, pipeline, stores, batch),
    ]


def _tables(intent: Intent, pipeline: AnyPipeline, stores: Stores, source: Source) -> Iterator[Effect]:
    keys = {table.name: table.key_fields for table in pipeline.tables}
    times = record_times(intent.rows, intent.clock, intent.cover.newest) if intent.tables else []
    for table in intent.tables:
        if keys.get(table.name) == table.key:  # with another key it is another table
            rows = newest(table, source.partition, intent.rows, times)
            yield Effect(f"table {table.name!r}", stores.tables[table.name].put, rows)


def _custom_sinks(intent: Intent, pipeline: AnyPipeline, stores: Stores, batch: RowBatch) -> Iterator[CustomEffect]:
    names = {sink.name for sink in pipeline.custom_sinks}
    for name in intent.sinks:
        if name in names:
            yield CustomEffect(f"sink {name!r}", stores.sinks[name], batch)


def _topics(intent: Intent, pipeline: AnyPipeline, stores: Stores, source: Source) -> Iterator[Effect]:
    sinks = {topic.name: topic for topic in pipeline.topics}
    origin = f"{source.pipeline}/{source.topic}/{source.partition}"
    for topic in intent.topics:
        if topic.name in sinks:
            encode = pipeline.json_rows if sinks[topic.name].codec is None else whole_rows
            rows = messages(topic, origin, intent.rows, encode)
            yield Effect(f"topic {topic.name!r}", stores.topics[topic.name].send, rows)


def refused_letters(source: Source, slice_: Slice, plan: Plan) -> list[DeadLetter]:
    """Return one dead letter for each record with a refused row.

    A record is at hand unless an adopted intent reaches beyond the slice: then the letter's value is the row, as JSON.
    """
    parts: dict[int, list[str]] = {}
    for offset, detail in plan.refused:
        parts.setdefault(offset, []).append(detail)
    details = {offset: shortened("; ".join(of_record)) for offset, of_record in parts.items()}
    indexes = {offset: index for index, offset in enumerate(slice_.offsets) if offset in details}
    return [
        dead_letter(source.pipeline, slice_, Rejection(indexes[offset], Reason.REFUSED, detail))
        if offset in indexes
        else _row_letter(source, plan.intent.rows, offset, detail)
        for offset, detail in details.items()
    ]


def _row_letter(source: Source, rows: Rows, offset: int, detail: str) -> DeadLetter:
    """Return a letter whose value is the record's row as JSON, or the list of its rows if it became several."""
    of_record = rows.between(offset, offset)
    values = [dict(zip(rows.columns, row, strict=True)) for row in zip(*of_record.columns.values(), strict=True)]
    value = to_json(values[0] if len(values) == 1 else values)
    timestamp = next(iter([*of_record.timestamps, *(delete.timestamp for delete in of_record.deletes)]))
    return DeadLetter(
        source.pipeline, source.topic, source.partition, offset, timestamp, None, value, (),
        Reason.REFUSED, f"{detail}; {ROW_AS_VALUE}", "",
    )  # fmt: skip


def holds_row(letter: DeadLetter) -> bool:
    """Whether the value of a letter is a row instead of the record's own."""
    return letter.reason is Reason.REFUSED and letter.detail.endswith(ROW_AS_VALUE)
