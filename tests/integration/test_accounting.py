"""The accounting that other tests rely on: it accepts correct stores and fails on anything lost, doubled or wrong."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.accounting import account
from tests.integration.found import OutputMessage, StageContents
from tests.integration.records import ProducedRecord, login

GOOD = login(0)
PRODUCED = {(0, 0): GOOD, (0, 1): ProducedRecord(b"{", "undecodable"), (0, 2): ProducedRecord(None, None)}
ROW: dict[str, Any] = {"user_id": "user-0", "device_type": "ios", "logged_in_at": datetime(2026, 1, 1, tzinfo=UTC)}
LETTER: dict[str, Any] = {"reason": "undecodable", "key": None, "value": {"base64": "ew=="}, "headers": []}
FOUND = StageContents(
    rows=[((0, 0), ROW)],
    letters=[((0, 1), LETTER)],
    counters={("logins-per-minute?device_type=ios", "2026-01-01T00:00:00Z"): 1},
    table={"user-0": {"logged_in_at": "2026-01-01T00:00:00Z", "_order": "1-0-0-0"}},
    messages=[OutputMessage((0, 0), b"user-0", b"{}")] * 2,
)


def test_what_is_right_passes() -> None:
    account(PRODUCED, FOUND)


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("rows", {"rows": []}),
        ("rows", {"rows": FOUND.rows * 2}),
        ("rows", {"rows": [((0, 0), ROW | {"user_id": "user-1"})]}),
        ("rows", {"rows": [((0, 0), ROW), ((0, 2), ROW)]}),
        ("dead letters", {"letters": []}),
        ("dead letters", {"letters": FOUND.letters * 2}),
        ("dead letters", {"letters": [((0, 1), LETTER | {"reason": "invalid"})]}),
        ("counters", {"counters": dict.fromkeys(FOUND.counters, 2)}),
        ("counters", {"counters": {}}),
        ("table", {"table": {}}),
        ("messages", {"messages": []}),
        ("messages", {"messages": [*FOUND.messages, OutputMessage((0, 1), None, None)]}),
    ],
)
def test_anything_else_fails(what: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=f"^{what}: "):
        account(PRODUCED, replace(FOUND, **wrong))
