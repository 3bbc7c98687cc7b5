"""Whose rows, deletes, counts and dead letters an erasure removes, and that everything else stays as it was."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import Count
from functions.core.erasure import ErasedParts, Subject, column_of, is_letter_of, mentions, subject_of, without
from functions.core.errors import InvalidSetting
from functions.core.intent import Cover, Intent
from functions.core.masking import Masked, Masker
from functions.core.pipeline import AnyPipeline, Pipeline
from functions.core.plan import ROW_AS_VALUE
from functions.core.rows import Deletion, Rows
from functions.core.sinks import Lake, Table

KEY = b"0123456789abcdef"
ALICE = Subject("alice", "user", frozenset({"alice"}))
LETTER = DeadLetter("visits", "visit", 0, 7, 1, b"bob", b"{}", [], Reason.INVALID, "why", "")


class Visit(BaseModel):
    user: str
    address: Masked
    number: int
    id: UUID
    at: datetime


def visits(*tables: Table) -> AnyPipeline:
    return Pipeline(
        name="visits", topic="visit", event=Visit, row=Visit, process=lambda event: event, sinks=(Lake(), *tables)
    )


def intent(*users: Any, deletes: tuple[Deletion, ...] = (), counts: tuple[tuple[Count, ...], ...] = ((),)) -> Intent:
    """Return an intent with a row for each user, two of each record."""
    numbers = range(len(users))
    rows = Rows(
        [10 + number // 2 for number in numbers], [number % 2 for number in numbers], [5] * len(users),
        {"user": list(users), "number": list(numbers)}, deletes,
    )  # fmt: skip
    return Intent(Cover(8, 10, 20, 5), 9, 1, 4, visits().stored_schema, rows, counts, (), (), ("own",), history=True)


def test_the_default_column_is_the_key_of_the_tables() -> None:
    declared = visits(Table("one", key="user"), Table("two", key=("user", "number")))
    assert column_of(declared, None) == "user"
    assert column_of(declared, "number") == "number"


@pytest.mark.parametrize(
    ("tables", "column", "message"),
    [
        ((), None, "there is no table, whose key it is"),
        ((Table("one", key="user"), Table("two", key="number")), None, "the tables have the keys number, user"),
        ((), "name", "one of user, address, number, id, at, got 'name'"),
    ],
)
def test_a_missing_or_wrong_column_is_refused(tables: tuple[Table, ...], column: str | None, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        column_of(visits(*tables), column)


def test_a_key_becomes_the_values_that_rows_have() -> None:
    declared, uuid = visits(), "0000000A-0000-4000-8000-000000000001"
    assert subject_of(declared, "alice", "user", KEY).values == {"alice"}
    assert subject_of(declared, "-17", "number", KEY).values == {-17}
    assert subject_of(declared, uuid, "id", KEY).values == {uuid.lower()}


def test_a_masked_column_has_masks_and_maybe_older_values() -> None:
    declared = visits()
    fields = [field for field in declared.schema.fields if field.name == "address"]
    mask = Masker("visits", KEY).masked(fields, {"address": ["10.0.0.1"]})["address"][0]
    assert subject_of(declared, "10.0.0.1", "address", KEY).values == {"10.0.0.1", mask}


@pytest.mark.parametrize(
    ("key", "column", "message"),
    [
        ("x", "number", "KEY: expected an integer of 64 bits, as number holds"),
        (str(2**63), "number", "expected an integer of 64 bits"),
        ("x", "id", "KEY: expected a UUID"),
        ("x", "at", "--column: expected a field of texts, integers or UUIDs, 'at' is a Timestamp"),
    ],
)
def test_a_key_that_no_row_can_have_is_refused(key: str, column: str, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        subject_of(visits(), key, column, KEY)


def test_rows_go_and_the_others_keep_their_identity() -> None:
    before = intent("alice", "bob", "alice", "carol", None)
    left, parts = without(before, ALICE)
    assert parts == ErasedParts(rows=2)
    rows = left.rows
    assert (rows.offsets, rows.numbers, rows.timestamps) == ([10, 11, 12], [1, 1, 0], [5, 5, 5])
    assert rows.columns == {"user": ["bob", "carol", None], "number": [1, 3, 4]}
    assert replace(left, rows=before.rows) == before


def test_deletes_and_groups_that_name_the_person_go() -> None:
    deletes = (Deletion(10, 0, 5, {"user": "alice", "number": 3}), Deletion(10, 1, 5, {"user": "bob"}))
    theirs, others = Count("by", "locale=DE&user=alice", 0, 1), Count("by", "locale=alice", 0, 1)
    before = intent("bob", deletes=deletes, counts=((theirs,), (others, Count("all", "", 0, 1))))
    left, parts = without(before, ALICE)
    assert parts == ErasedParts(deletes=1, counts=1)
    assert (left.rows.deletes, left.counts) == (deletes[1:], ((), before.counts[1]))
    assert left.rows.columns == before.rows.columns


def test_without_their_data_or_the_column_nothing_changes() -> None:
    for subject in (Subject("x", "user", frozenset({"x"})), Subject("alice", "name", frozenset({"alice"}))):
        before = intent("alice")
        left, parts = without(before, subject)
        assert left is before
        assert not any(parts)


def test_a_number_is_no_boolean() -> None:
    assert not Subject("1", "user", frozenset({1})).has(value=True)


@pytest.mark.parametrize(
    ("key", "theirs"),
    [
        (b"alice", True), (b'"alice"', True), (b'{"user": "alice"}', True), (b'{"name": "alice"}', False),
        (b'{"schema": 1, "payload": {"user": "alice"}}', True), (b"alice2", False), (b"[1]", False), (b"\xff", False),
        (b"[" * 100_000, False), (None, False),
    ],
)  # fmt: skip
def test_a_letter_belongs_to_the_key_of_its_record(key: bytes | None, theirs: object) -> None:
    assert is_letter_of(replace(LETTER, key=key), ALICE) is theirs


def test_numbers_as_keys() -> None:
    subject = Subject("17", "user", frozenset({17}))
    assert is_letter_of(replace(LETTER, key=b'{"user": 17}'), subject)
    assert is_letter_of(replace(LETTER, key=b"17"), subject)


@pytest.mark.parametrize(
    ("value", "theirs"),
    [
        (b'{"user": "alice"}', True), (b'[{"user": "bob"}, {"user": "alice"}]', True), (b'{"user": "bob"}', False),
        (b"{", False), (b"1", False), (None, False),
    ],
)  # fmt: skip
def test_a_letter_that_holds_rows_belongs_to_their_column(value: bytes | None, theirs: object) -> None:
    letter = replace(LETTER, value=value, reason=Reason.REFUSED, detail=f"too large; {ROW_AS_VALUE}")
    assert is_letter_of(letter, ALICE) is theirs
    assert not is_letter_of(replace(letter, detail="too large"), ALICE)


@pytest.mark.parametrize(
    "change",
    [
        {"value": b'{"user": "alice"}'}, {"key": b"user-alice"}, {"headers": [("who", b"alice"), ("none", None)]},
        {"detail": "got 'alice'"}, {"traceback": "alice"},
    ],
)  # fmt: skip
def test_a_letter_may_mention_a_key(change: dict[str, Any]) -> None:
    assert mentions(replace(LETTER, **change), ALICE)
    assert not mentions(replace(LETTER, value=None), ALICE)
