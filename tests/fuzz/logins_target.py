"""Any bytes -> decode and evaluate of the logins pipeline -> every effect that can be computed in memory.

Laws that are checked: nothing is raised; each record becomes a row, a reject or a drop, independently of its
neighbours; an intent read back from Parquet is the same intent; dead letters read back are the same letters.
"""

from dataclasses import replace
from typing import Final
from zlib import crc32

from functions.adapters import letter_json, parquet
from functions.adapters.attributes import attribute
from functions.adapters.counters import adds
from functions.adapters.letter_key import letter_key
from functions.core import effects
from functions.core.dead_letter import dead_letter
from functions.core.evaluate import Evaluation, evaluate
from functions.core.intent import Cover, intent_of
from functions.core.pipeline import AnyPipeline, Tombstones
from functions.core.ports import Source
from functions.core.slice import Slice
from tests.fuzz.memory import KEY, PATIENT

SOURCE: Final = Source("logins", "user-login", 3)
INPUTS_PER_PARQUET: Final = 16  # Parquet is as slow as all other checks together
MAX_SEPARATORS: Final = 8
DELETING: Final = replace(PATIENT, tombstones=Tombstones.DELETE)


def run(data: bytes) -> None:
    """Lines are values; an empty line is a tombstone whose key is the line before. An exception is a finding."""
    lines = data.split(b"\n", MAX_SEPARATORS)
    pipeline = DELETING if crc32(data) % 2 else PATIENT
    slice_ = _slice([line or None for line in lines], [lines[index - 1] for index in range(len(lines))])
    whole = evaluate(pipeline, slice_, KEY)
    rows = whole.rows
    assert len(rows) + len(rows.deletes) + len(whole.rejections) + whole.dropped == len(slice_)
    _effects(pipeline, slice_, whole)
    for offset in range(len(slice_)):
        alone = evaluate(pipeline, slice_.since(offset).until(offset), KEY)
        assert _results(whole, offset, 0) == _results(alone, offset, offset), offset


def _slice(values: list[bytes | None], keys: list[bytes]) -> Slice:
    numbers = list(range(len(values)))
    return Slice("user-login", 3, 0, numbers[-1], numbers, numbers, keys, values, [()] * len(values))


def _results(evaluation: Evaluation, offset: int, start: int) -> object:
    """Return the row, rejection or delete of a record; `start` is the first offset of the evaluated slice."""
    rows = [
        {name: column[index] for name, column in evaluation.rows.columns.items()}
        for index, row_offset in enumerate(evaluation.rows.offsets)
        if row_offset == offset
    ]
    rejections = [
        (rejection.reason, rejection.detail, rejection.traceback)
        for rejection in evaluation.rejections
        if rejection.index + start == offset
    ]
    return rows, rejections, [delete for delete in evaluation.rows.deletes if delete.offset == offset]


def _effects(pipeline: AnyPipeline, slice_: Slice, whole: Evaluation) -> None:
    intent = intent_of(pipeline, whole, Cover(slice_.start, slice_.start, slice_.end, slice_.end), -1, 98)
    for chunk in intent.counts:
        list(adds("counters", SOURCE, chunk))
    times = effects.record_times(intent.rows, intent.clock, intent.cover.newest)
    for table in intent.tables:
        for candidate in effects.newest(table, 3, intent.rows, times):
            attribute(candidate.row)
    for topic in intent.topics:
        assert len(effects.messages(topic, "user-login/3", whole.rows)) == len(whole.rows)
    for rejection in whole.rejections:
        letter = dead_letter("logins", slice_, rejection)
        assert letter_json.parse(letter_json.encode(letter)) == replace(letter, headers=[])
        letter_key(letter).encode()
    if len(whole.rows) and crc32(bytes(slice_.values[whole.rows.offsets[0]] or b"")) % INPUTS_PER_PARQUET == 0:
        assert parquet.decode(parquet.encode(intent, 3)) == intent
