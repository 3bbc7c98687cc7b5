"""The intent: everything that settling a slice will do, complete and self-describing.

The lake object holds it. A release with another row model, other counters or sinks, with or without a lake, rolls it
forward from itself alone: rows by the schema that they were written with, counts as they stand, tables and topics by
name where the running pipeline still has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.core.effects import Count, TableSpec, TopicSpec, counts, groups
from functions.core.evaluate import Evaluation
from functions.core.pipeline import AnyPipeline, Tombstones
from functions.core.rows import Rows
from functions.core.schema import Schema
from functions.core.sinks import Table


@dataclass(frozen=True, slots=True)
class Gap:
    """Offsets [first, last] that the ledger passed without their records: given up, expired, or never written."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Cover:
    """What an intent covers: offsets [next, end]. Its records begin at `start`, `newest` is the greatest timestamp."""

    next: int
    start: int
    end: int
    newest: int

    @property
    def gap(self) -> Gap | None:
        """The offsets before the first record, if there are any."""
        return Gap(self.next, self.start - 1) if self.start > self.next else None


@dataclass(frozen=True, slots=True)
class Intent:
    """What a slice will do. `counts` are split into the transactions that add them, at least one.

    `records` and `rejects` are numbers of records. `clock`: that of the position, in milliseconds; it
    orders the rows of tables without `newest_by` after those of earlier slices. `history`: the lake's object shows
    deletes as rows, too.
    """

    cover: Cover
    records: int
    rejects: int
    clock: int
    schema: Schema
    rows: Rows
    counts: tuple[tuple[Count, ...], ...]
    tables: tuple[TableSpec, ...]
    topics: tuple[TopicSpec, ...]
    sinks: tuple[str, ...] = ()
    history: bool = False


def intent_of(
    pipeline: AnyPipeline, evaluation: Evaluation, cover: Cover, clock: int, counts_per_advance: int
) -> Intent:
    """Return the intent of an evaluated slice. `counts_per_advance`: how many counts one transaction holds."""
    rows = evaluation.rows
    # A tombstone has no fields, so rows and deletes of a table are both ordered by their records.
    deletes = pipeline.tombstones is Tombstones.DELETE
    return Intent(
        cover=cover,
        records=len(evaluation.slice_),
        rejects=len(evaluation.rejections),
        clock=clock,
        schema=pipeline.stored_schema,
        rows=rows,
        counts=_split(counts_of(pipeline, rows), counts_per_advance),
        tables=tuple(_table_spec(sink, ordered_by_record=deletes) for sink in pipeline.tables),
        topics=tuple(TopicSpec(sink.name, sink.key) for sink in pipeline.topics),
        sinks=tuple(sink.name for sink in pipeline.custom_sinks),
        history=pipeline.keeps_history,
    )


def _table_spec(sink: Table, *, ordered_by_record: bool) -> TableSpec:
    newest_by = None if ordered_by_record else sink.newest_by
    seconds = None if sink.expire_after is None else round(sink.expire_after.total_seconds())
    return TableSpec(sink.name, sink.key_fields, newest_by, seconds)


def counts_of(pipeline: AnyPipeline, rows: Rows) -> list[Count]:
    """Return the counts of all counters, sorted."""
    return sorted(count for sink in pipeline.counters for count in counts(sink, rows))


def _split(counts_: Sequence[Count], size: int) -> tuple[tuple[Count, ...], ...]:
    return tuple(tuple(counts_[first : first + size]) for first in range(0, len(counts_), size)) or ((),)


def fitting_end(pipeline: AnyPipeline, evaluation: Evaluation, counts_per_advance: int) -> int:
    """Return the last offset up to which all counts fit one transaction: at least that of the first record."""
    rows, seen = evaluation.rows, set[object]()
    each_row = zip(*(groups(sink, rows) for sink in pipeline.counters), strict=True)
    for offset, row_groups in zip(rows.offsets, each_row, strict=False):  # without counters, everything fits
        seen.update(enumerate(row_groups))
        if len(seen) > counts_per_advance and offset > evaluation.slice_.offsets[0]:
            return offset - 1
    return evaluation.slice_.end
