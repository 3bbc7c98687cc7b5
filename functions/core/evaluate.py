"""Slice -> rows, deletions, rejections, drops: pure, and the same on both runtimes.

The resulting rows are canonical columns (see column_types), so that rows read back from the lake equal rows that were
just evaluated. A record has all its effects or none: a row that cannot be stored rejects its record.
"""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from functions.core.codecs import Decoding
from functions.core.dead_letter import Reason, Rejection
from functions.core.decode import decode_slice
from functions.core.effects import groups
from functions.core.foreign import rejection_of, shortened
from functions.core.keys import table_keys
from functions.core.masking import Masker, is_masked
from functions.core.pipeline import AnyPipeline, Tombstones
from functions.core.record import Delete
from functions.core.records import RecordReader
from functions.core.registries import KnownSchemas
from functions.core.rows import Deletion, Rows
from functions.core.slice import Slice
from functions.core.store_limits import MAX_COUNTS_PER_RECORD, rows_over_store_limits


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of evaluating a slice. Each record became rows and deletions, or a rejection, or was dropped.

    `event_ids`: (offset, ID) of each record that became something, if the pipeline declares Dedup.
    """

    slice_: Slice
    rows: Rows
    rejections: tuple[Rejection, ...]
    event_ids: tuple[tuple[int, str], ...] = ()

    @property
    def dropped(self) -> int:
        """How many records became neither row, deletion nor reject."""
        kept = {*self.rows.offsets, *(delete.offset for delete in self.rows.deletes)}
        return len(self.slice_) - len(kept) - len(self.rejections)

    def between(self, first: int, last: int) -> "Evaluation":
        """Return the part of the records at offsets [first, last]."""
        if first <= self.slice_.start and last >= self.slice_.end:
            return self
        slice_ = self.slice_.since(first).until(last)
        skipped = bisect_left(self.slice_.offsets, first)
        rejections = (replace(rejection, index=rejection.index - skipped) for rejection in self.rejections)
        within = tuple(rejection for rejection in rejections if 0 <= rejection.index < len(slice_))
        event_ids = tuple(pair for pair in self.event_ids if first <= pair[0] <= last)
        return Evaluation(slice_, self.rows.between(first, last), within, event_ids)

    def without(self, offsets: Collection[int]) -> "Evaluation":
        """Return the evaluation without the rows and deletions of the records at these offsets: they are dropped."""
        event_ids = tuple(pair for pair in self.event_ids if pair[0] not in offsets)
        return replace(self, rows=self.rows.without(offsets), event_ids=event_ids)


@dataclass(slots=True)
class _Output:
    """What the records became so far: models with the index of their record and their number, and the rest."""

    indexes: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    models: list[Any] = field(default_factory=list)
    deletes: list[tuple[int, Deletion]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    event_ids: dict[int, str] = field(default_factory=dict)


def evaluate(
    pipeline: AnyPipeline,
    slice_: Slice,
    mask_key: bytes,
    schemas: KnownSchemas = MappingProxyType({}),
    *,
    has_object: bool = True,
) -> Evaluation:
    """Decode, process and mask a slice. An error that a record causes becomes its rejection: see foreign.

    `has_object`: whether the slice has a lake object, if the pipeline has a lake.
    `schemas`: what the registries answered about the IDs of schema_lookup.schema_ids. The result is of the beginning
    of the slice if its values expand to more than the pipeline's `slice_bytes`.
    """
    decoding = Decoding(schemas)
    slice_, (indexes, events, tombstones, rejections) = decode_slice(pipeline, slice_, decoding)
    output = _Output(rejections=rejections)
    _process(pipeline, RecordReader(pipeline, slice_, decoding), indexes, events, output)
    _tombstones(pipeline, slice_, decoding, tombstones, output)
    columns = _columns(pipeline, output, mask_key, is_atomic=not (pipeline.has_lake and has_object))
    rows = Rows(
        list(map(slice_.offsets.__getitem__, output.indexes)),
        output.numbers,
        list(map(slice_.timestamps.__getitem__, output.indexes)),
        columns,
        tuple(delete for _, delete in sorted(output.deletes)),
    )
    rejections = sorted(output.rejections, key=attrgetter("index"))
    return Evaluation(slice_, rows, tuple(rejections), _event_ids(slice_, output))


def _event_ids(slice_: Slice, output: _Output) -> tuple[tuple[int, str], ...]:
    if not output.event_ids:
        return ()
    kept = {*output.indexes, *(index for index, _ in output.deletes)}
    return tuple((slice_.offsets[index], event_id) for index, event_id in output.event_ids.items() if index in kept)


def _process(
    pipeline: AnyPipeline, reader: RecordReader, indexes: Sequence[int], events: Sequence[Any], output: _Output
) -> None:
    process: Any = pipeline.process
    row_type, rejections = pipeline.row, output.rejections
    read = reader.read if pipeline.takes_record else None
    dedup = pipeline.dedup
    # Bound once: this loop runs for each record.
    add_index, add_number, add_model = output.indexes.append, output.numbers.append, output.models.append
    for index, event in zip(indexes, events, strict=True):
        try:
            if dedup is not None and (event_id := dedup.event_id(event)) is not None:
                output.event_ids[index] = event_id
            result = process(event) if read is None else process(event, read(index))
            if isinstance(result, row_type):
                add_index(index)
                add_number(0)
                add_model(result)
            elif result is not None:
                _several(pipeline, reader.slice_, index, result, output)
        except BaseException as error:  # noqa: BLE001 - `process` may raise anything: see foreign
            rejections.append(rejection_of(index, error))


class UnexpectedResultError(TypeError):
    """`process` returned what is neither row, Delete, None, nor a list or tuple of rows and Deletes."""


def _several(pipeline: AnyPipeline, slice_: Slice, index: int, result: Any, output: _Output) -> None:  # noqa: ANN401
    """Add all rows and Deletes of a record, or raise."""
    items = result if isinstance(result, list | tuple) else [result]
    max_rows = pipeline.limits.max_rows_per_record
    if len(items) > max_rows:
        raise UnexpectedResultError(f"process returned {len(items)} rows, the limit is {max_rows}")
    models: list[tuple[int, Any]] = []
    deletes: list[tuple[int, Deletion]] = []
    for number, item in enumerate(items):
        if isinstance(item, pipeline.row):
            models.append((number, item))
        elif isinstance(item, Delete):
            deletes.append((index, _deletion(pipeline, slice_, index, number, item.key)))
        else:
            expected = f"{pipeline.row.__name__}, Delete or None, or a list of {pipeline.row.__name__} and Delete"
            raise UnexpectedResultError(f"process returned {type(item).__name__}, expected {expected}")
    output.indexes += [index] * len(models)
    output.numbers += [number for number, _ in models]
    output.models += [model for _, model in models]
    output.deletes += deletes


def _deletion(pipeline: AnyPipeline, slice_: Slice, index: int, number: int, key: Any) -> Deletion:  # noqa: ANN401
    if not pipeline.ordered_by_record:
        raise UnexpectedResultError(
            "process returned Delete, expected a Table or other sink with a key, and none with newest_by"
        )
    keys = table_keys(key, pipeline.key_types, pipeline.table_sort_keys)
    return Deletion(slice_.offsets[index], number, slice_.timestamps[index], keys)


def _tombstones(pipeline: AnyPipeline, slice_: Slice, decoding: Decoding, indexes: list[int], output: _Output) -> None:
    if pipeline.tombstones is Tombstones.REJECT:
        output.rejections += [Rejection(index, Reason.TOMBSTONE, "a record without a value") for index in indexes]
    if pipeline.tombstones is not Tombstones.DELETE:
        return
    for index in indexes:
        try:
            key = pipeline.key_decoder(slice_.keys[index] or b"", slice_.headers[index], decoding)
            keys = table_keys(key, pipeline.key_types, pipeline.table_sort_keys)
        except (ValueError, RecursionError) as error:
            detail = shortened(f"its key names no row to delete: {error}")
            output.rejections.append(Rejection(index, Reason.TOMBSTONE, detail))
        except BaseException as error:  # noqa: BLE001 - a codec may be the pipeline's own: see foreign
            output.rejections.append(rejection_of(index, error))
        else:
            output.deletes.append((index, Deletion(slice_.offsets[index], 0, slice_.timestamps[index], keys)))


def _columns(pipeline: AnyPipeline, output: _Output, mask_key: bytes, *, is_atomic: bool) -> dict[str, list[Any]]:
    """Convert models to canonical, masked columns, and reject the records of rows that a sink cannot store.

    `is_atomic`: all counts of a record must fit one transaction, because there is no object to roll forward from.
    """
    columns, problems = pipeline.schema.columns(output.models, pipeline.column_checks)
    problems = {**rows_over_store_limits(pipeline, columns), **problems}
    if is_atomic and any(output.numbers):
        problems = {**_too_many_counts(pipeline, output, columns), **problems}
    if problems:
        by_record = {output.indexes[row]: problem for row, problem in reversed(problems.items())}
        output.rejections += [_unstorable(index, problem) for index, problem in by_record.items()]
        output.deletes = [pair for pair in output.deletes if pair[0] not in by_record]
        storable = [index not in by_record for index in output.indexes]
        columns = {name: list(compress(column, storable)) for name, column in columns.items()}
        output.indexes = list(compress(output.indexes, storable))
        output.numbers = list(compress(output.numbers, storable))
    masker, key_types = Masker(pipeline.name, mask_key), pipeline.key_types
    if output.deletes and any(map(is_masked, key_types.values())):
        output.deletes = [
            (index, delete._replace(keys=masker.keys(key_types, delete.keys))) for index, delete in output.deletes
        ]
    return columns | masker.masked(pipeline.schema.fields, columns)


def _unstorable(index: int, problem: str | BaseException) -> Rejection:
    if isinstance(problem, BaseException):
        return rejection_of(index, problem)
    return Rejection(index, Reason.UNSTORABLE, shortened(problem))


def _too_many_counts(pipeline: AnyPipeline, output: _Output, columns: dict[str, list[Any]]) -> dict[int, str]:
    """Find records whose counts would not fit one transaction: without a lake, a record's effects need to be atomic."""
    rows = Rows(output.indexes, output.numbers, output.indexes, columns)
    counted: dict[int, set[object]] = {}
    for counter in pipeline.counters:
        for index, group in zip(output.indexes, groups(counter, rows), strict=True):
            counted.setdefault(index, set()).add((counter.name, group))
    detail = f"expected rows that count in at most {MAX_COUNTS_PER_RECORD} groups, as the slice has no lake object"
    over = {index for index, found in counted.items() if len(found) > MAX_COUNTS_PER_RECORD}
    return {row: detail for row, index in enumerate(output.indexes) if index in over}
