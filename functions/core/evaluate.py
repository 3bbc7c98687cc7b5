"""Slice -> rows, rejections, drops: pure, and the same on every runtime.

Rows are columns from here on and canonical (see schema), so that rows read back from the lake are the same thing as
rows just evaluated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from operator import attrgetter
from traceback import format_exception
from typing import Any

from functions.core.dead_letter import Reason, Rejection
from functions.core.decode import decode
from functions.core.effects import table_key
from functions.core.errors import Reject
from functions.core.limits import unfit
from functions.core.masking import mask
from functions.core.pipeline import AnyPipeline, Tombstones
from functions.core.rows import Delete, Rows
from functions.core.slice import Slice


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a slice comes to. len(slice) == len(rows) + len(rows.deletes) + len(rejections) + dropped."""

    rows: Rows
    rejections: tuple[Rejection, ...]
    dropped: int


def evaluate(pipeline: AnyPipeline, part: Slice, mask_key: bytes) -> Evaluation:
    """Decode, process and mask a slice. Never raises for anything that a record contains."""
    indexes, events, tombstones, rejections = decode(pipeline, part.values)
    kept, rows, failed = _process(pipeline, indexes, events)
    stored, columns, unstorable = _columns(pipeline, part.values, kept, rows, mask_key)
    deletes, refused = _tombstones(pipeline, part, tombstones)
    rejections = sorted([*rejections, *failed, *unstorable, *refused], key=attrgetter("index"))
    taken = Rows(
        list(map(part.offsets.__getitem__, stored)),
        list(map(part.timestamps.__getitem__, stored)),
        columns,
        tuple(deletes),
    )
    return Evaluation(taken, tuple(rejections), len(part) - len(taken) - len(deletes) - len(rejections))


def _process(
    pipeline: AnyPipeline, indexes: Sequence[int], events: Sequence[Any]
) -> tuple[list[int], list[Any], list[Rejection]]:
    process, row_type = pipeline.process, pipeline.row
    kept: list[int] = []
    rows: list[Any] = []
    rejections: list[Rejection] = []
    for index, event in zip(indexes, events, strict=True):
        try:
            row = process(event)
        except Reject as reject:
            rejections.append(Rejection(index, Reason.REJECTED, str(reject)))
        except MemoryError:
            raise  # ours, not the record's
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this record and stops no other
            rejections.append(_failure(index, error))
        else:
            if isinstance(row, row_type):
                kept.append(index)
                rows.append(row)
            elif row is not None:
                detail = f"process returned {type(row).__name__}, takes {row_type.__name__} or None"
                rejections.append(Rejection(index, Reason.FAILED, detail))
    return kept, rows, rejections


def _failure(index: int, error: Exception) -> Rejection:
    detail = f"{type(error).__name__}: {error}"
    return Rejection(index, Reason.FAILED, detail, "".join(format_exception(error)))


def _columns(
    pipeline: AnyPipeline, values: Sequence[bytes | None], kept: list[int], rows: list[Any], mask_key: bytes
) -> tuple[list[int], dict[str, list[Any]], list[Rejection]]:
    """Turn model instances into canonical columns, leaving out what no sink could store."""
    columns, problems = pipeline.schema.columns(rows)
    problems |= unfit(pipeline, [len(values[index] or b"") for index in kept], columns)
    if problems:
        good = [at not in problems for at in range(len(rows))]
        columns = {name: list(compress(column, good)) for name, column in columns.items()}
        unstorable = [Rejection(kept[at], Reason.UNSTORABLE, why) for at, why in problems.items()]
        kept = list(compress(kept, good))
    else:
        unstorable = []
    return kept, columns | {name: mask(columns[name], mask_key) for name in pipeline.masked}, unstorable


def _tombstones(pipeline: AnyPipeline, part: Slice, indexes: list[int]) -> tuple[list[Delete], list[Rejection]]:
    if pipeline.tombstones is Tombstones.DROP:
        return [], []
    if pipeline.tombstones is Tombstones.REJECT:
        return [], [Rejection(index, Reason.TOMBSTONE, "a record without a value") for index in indexes]
    deletes, refused = [], []
    kinds = [pipeline.schema.kind(table.key) for table in pipeline.tables]
    for index in indexes:
        key = part.keys[index]
        try:
            for kind in kinds:
                table_key(kind, key or b"")
        except ValueError as error:
            refused.append(Rejection(index, Reason.TOMBSTONE, f"its key names no row to delete: {error}"))
        else:
            deletes.append(Delete(part.offsets[index], part.timestamps[index], key or b""))
    return deletes, refused
