"""Any event -> the msk runtime's slices -> settled in memory; or a ValueError, and nothing else."""

import json
from base64 import b64encode
from contextlib import suppress
from typing import Any, Final

from functions.runtimes.msk.event import slices
from tests.fuzz.choices import Choices
from tests.fuzz.memory import settle

STRANGE: Final[tuple[Any, ...]] = (
    None, True, False, -1, 0, 2**31, 2**63 - 1, 2**63, 10**40, 1.5, float("nan"), "", "0", "é", "\ud83d", "=", "AAA",
    "AA==", "A A=", [], [None], [{}], {}, {"": None}, [[]], [{"h": "text"}], [{"h": [256, -129]}], [{"h": None}],
)  # fmt: skip
FIELDS: Final = ("topic", "partition", "offset", "timestamp", "timestampType", "key", "value", "headers")


def one(data: bytes) -> None:
    """Raises whatever is a finding."""
    event = _event(data)
    try:
        parts = list(slices(event))
    except ValueError:
        return
    for part in parts:
        assert type(part.topic) is str
        assert type(part.partition) is int
        assert all(type(value) in {bytes, type(None)} for column in (part.keys, part.values) for value in column)
        with suppress(ValueError):  # of headers, which are looked at only when a record is rejected
            settle(part)


def _event(data: bytes) -> Any:
    choices = Choices(data)
    if choices.byte() % 2:
        with suppress(ValueError, RecursionError):  # no JSON: Lambda would not hand that over
            return json.loads(choices.rest())
    event: dict[str, Any] = {"eventSource": "aws:kafka", "records": _records(choices)}
    if choices.chance(32):
        event[choices.one(("eventSource", "records", "records"))] = choices.one(STRANGE)
    return choices.one(STRANGE) if choices.chance(64) else event


def _records(choices: Choices) -> dict[str, Any]:
    return {f"user-login-{number}": _run(choices, number) for number in range(choices.byte() % 3 + 1)}


def _run(choices: Choices, partition: int) -> Any:
    run, offset = [], choices.byte()
    for _ in range(choices.byte() % 5):
        run.append(_record(choices, partition, offset))
        offset += choices.one((1, 1, 1, 2, 0, 100, -1))
    return choices.one(STRANGE) if choices.chance(32) else run


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
        record[choices.one(FIELDS)] = choices.one(STRANGE)
    if choices.chance(16):
        record.pop(choices.one(FIELDS), None)
    if choices.chance(16):
        record[choices.one(("key", "value"))] = choices.chunk().decode("latin-1")
    return choices.one(STRANGE) if choices.chance(64) else record
