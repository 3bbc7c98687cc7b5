"""What the adapters write, the demo's own readers read: they share no code, so this is where they meet."""

from datetime import UTC, datetime

import pytest

from functions.adapters import letter_json, parquet
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.rows import Rows
from functions.pipelines.logins import PIPELINE
from sandbox.demo import parse
from sandbox.demo.records import LoginRow, StoredLetter, letter_of
from tests.intents import intent_with

AT = 1_772_000_040
KEY = "logins/reason=invalid/day=2026-03-02/user-login-3-00000000000000000017.json"


def test_rows_of_the_lake() -> None:
    row = LoginRow("ann", 1, 2, 3, "ios", "a" * 32, "DE", "b" * 32, AT)
    columns = {name: [value] for name, value in row._asdict().items() if name != "at"}
    rows = Rows([17], [0], [1], columns | {"logged_in_at": [datetime.fromtimestamp(AT, UTC)]})
    assert list(parse.parquet(parquet.encode(intent_with(PIPELINE.schema, rows), 3))) == [((3, 17), row)]


@pytest.mark.parametrize("value", [None, b"", b"\xff\x00"])
def test_dead_letters(value: bytes | None) -> None:
    headers = [("trace", b"\x80"), ("none", None)]
    letter = DeadLetter("logins", "user-login", 3, 17, 1, value, value, headers, Reason.INVALID, "why", "")
    seen = parse.letter(KEY, letter_json.encode(letter))
    assert seen == StoredLetter((3, 17), "invalid", value, value, tuple(headers))


def test_keys() -> None:
    assert letter_of(KEY) == ((3, 17), "invalid")
    assert letter_of(KEY.replace("=", "%3D")) == ((3, 17), "invalid"), "as announcements spell them"
