"""Any event -> the msk runtime's slices -> settled in memory; or a ValueError, and no other exception.

Records of another topic than the pipeline's are Refused.
"""

import json
from base64 import b64encode
from contextlib import suppress
from typing import Any, Final

from functions.core.errors import Refused
from functions.core.slice import Slice
from functions.runtimes.msk.event import slices
from tests.fuzz.choices import Choices
from tests.fuzz.memory import PATIENT, settle

UNUSUAL_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, -1, 0, 2**31, 2**63 - 1, 2**63, 10**40, 1.5, float("nan"), "", "0", "é", "\ud83d", "=", "AAA",
    "AA==", "A A=", [], [None], [{}], {}, {"": None}, [[]], [{"h": "text"}], [{"h": [256, -129]}], [{"h": None}],
)  # fmt: skip
FIELDS: Final = ("topic", "partition", "offset", "timestamp", "timestampType", "key", "value", "headers")


def run(data: bytes) -> None:
    """Raise an exception if the input is a finding."""
    event = _event(data)
    try:
        all_slices = list(slices(event))
    except ValueError:
        return
    for slice_ in all_slices:
        assert type(slice_.topic) is str
        assert type(slice_.partition) is int
        assert all(type(value) in {bytes, type(None)} for column in (slice_.keys, slice_.values) for value in column)
        if slice_.topic == PATIENT.topic:
            with suppress(ValueError):  # of headers, which are parsed only when a record is rejected
                settle(slice_)
        else:
            _is_refused(slice_)


def _is_refused(slice_: Slice) -> None:
    try:
        settle(slice_)
    except Refused:
        return
    raise AssertionError(f"{slice_} is not of the pipeline's topic, and was settled")


def _event(data: bytes) -> Any:
    choices = Choices(data)
    if choices.byte() % 2:
        with suppress(ValueError, RecursionError):  # not JSON: Lambda would not deliver it
            return json.loads(choices.rest())
    event: dict[str, Any] = {"eventSource": "aws:kafka", "records": _records(choices)}
    if choices.chance(32):
        event[choices.pick(("eventSource", "records", "records"))] = choices.pick(UNUSUAL_VALUES)
    return choices.pick(UNUSUAL_VALUES) if choices.chance(64) else event


def _records(choices: Choices) -> dict[str, Any]:
    return {f"user-login-{number}": _partition_records(choices, number) for number in range(choices.byte() % 3 + 1)}


def _partition_records(choices: Choices, partition: int) -> Any:
    records, offset = [], choices.byte()
    for _ in range(choices.byte() % 5):
        records.append(_record(choices, partition, offset))
        offset += choices.pick((1, 1, 1, 2, 0, 100, -1))
    return choices.pick(UNUSUAL_VALUES) if choices.chance(32) else records


def _record(choices: Choices, partition: int, offset: int) -> Any:
    record = {
        "topic": "user-login",
        "partition": partition,
        "offset": offset,
        "timestamp": 1545084650987 + choices.byte(),
        "key": b64encode(choices.chunk()).decode(),
        "value": b64encode(choices.chunk()).decode(),
        "headers": [{"trace": [byte - 128 for byte in choices.chunk()]}],
    }
    if choices.chance(8):
        record[choices.pick(FIELDS)] = choices.pick(UNUSUAL_VALUES)
    if choices.chance(16):
        record.pop(choices.pick(FIELDS), None)
    if choices.chance(16):
        record[choices.pick(("key", "value"))] = choices.chunk().decode("latin-1")
    return choices.pick(UNUSUAL_VALUES) if choices.chance(64) else record
