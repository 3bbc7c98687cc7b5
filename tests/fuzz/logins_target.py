"""Any bytes -> decode and evaluate of the logins pipeline -> every effect, as far as it can be made in memory.

Laws that are checked: nothing is raised; each record becomes a row, a reject or a drop; what becomes of it does not
depend on its neighbours; rows read back from Parquet are the same rows; dead letters read back are the same letters.
"""

from dataclasses import replace
from typing import Final
from zlib import crc32

from functions.adapters import letter_json, parquet
from functions.adapters.attributes import attribute
from functions.adapters.counters import adds
from functions.adapters.dead_letters import key
from functions.core import effects
from functions.core.dead_letter import dead_letter
from functions.core.evaluate import Evaluation, evaluate
from functions.core.pipeline import Tombstones
from functions.core.ports import Source
from functions.core.slice import Slice
from tests.fuzz.memory import KEY, PATIENT

SOURCE: Final = Source("logins", "user-login", 3)
PARQUET_EVERY: Final = 16  # it takes as long as all the rest
MOST: Final = 8  # records
DELETING: Final = replace(PATIENT, tombstones=Tombstones.DELETE)


def one(data: bytes) -> None:
    """Lines are values; an empty line is a tombstone whose key is the line before. Raises whatever is a finding."""
    lines = data.split(b"\n", MOST)
    pipeline = DELETING if crc32(data) % 2 else PATIENT
    part = _slice([line or None for line in lines], [lines[at - 1] for at in range(len(lines))])
    whole = evaluate(pipeline, part, KEY)
    rows = whole.rows
    assert len(rows) + len(rows.deletes) + len(whole.rejections) + whole.dropped == len(part)
    _effects(part, whole)
    for at in range(len(part)):
        alone = evaluate(pipeline, part.since(at).until(at), KEY)
        assert _fates(whole, at, 0) == _fates(alone, at, at), at


def _slice(values: list[bytes | None], keys: list[bytes]) -> Slice:
    numbers = list(range(len(values)))
    return Slice("user-login", 3, 0, numbers[-1], numbers, numbers, keys, values, [()] * len(values))


def _fates(of: Evaluation, offset: int, shift: int) -> object:
    """What became of a record; `shift`: the offset at which the evaluated slice began."""
    rows = [
        {name: column[at] for name, column in of.rows.columns.items()}
        for at, each in enumerate(of.rows.offsets)
        if each == offset
    ]
    rejections = [(each.reason, each.detail, each.traceback) for each in of.rejections if each.index + shift == offset]
    return rows, rejections, [each for each in of.rows.deletes if each.offset == offset]


def _effects(part: Slice, whole: Evaluation) -> None:
    for sink in PATIENT.counters:
        list(adds("counters", SOURCE, effects.counts(sink, whole.rows)))
    for table in PATIENT.tables:
        for candidate in effects.newest(table, PATIENT.schema.kind(table.key), 3, whole.rows):
            attribute(candidate.row)
    for topic in PATIENT.topics:
        assert len(effects.messages(topic, "user-login/3", whole.rows)) == len(whole.rows)
    for rejection in whole.rejections:
        letter = dead_letter("logins", part, rejection)
        assert letter_json.parse(letter_json.encode(letter)) == replace(letter, headers=[])
        key(letter).encode()
    if len(whole.rows) and crc32(bytes(part.values[whole.rows.offsets[0]] or b"")) % PARQUET_EVERY == 0:
        assert parquet.decode(PATIENT.schema, parquet.encode(PATIENT.schema, 3, whole.rows)) == whole.rows
